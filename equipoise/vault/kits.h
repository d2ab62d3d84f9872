#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/core/chance.h"
#include "equipoise/core/expected.h"

namespace equipoise::vault {

/// Kits of one lot to be labelled.
struct KitOrder {
  struct Count {
    std::string arm{};
    std::int64_t kits = 0;
    static void fields(auto& self, auto&& f) { f("arm", self.arm), f("kits", self.kits); }
  };
  std::string lot{};
  std::string expires{};  ///< YYYY-MM-DD
  std::vector<Count> counts{};
  static void fields(auto& self, auto&& f) { f("lot", self.lot), f("expires", self.expires), f("counts", self.counts); }
};

/// The kits of an order: what everybody may see, and the list for whoever puts the content in, both in the order of their
/// numbers.
struct LabelledLot {
  std::vector<allocation::Kit> kits{};
  std::vector<allocation::LabelledKit> labels{};
  static void fields(auto& self, auto&& f) { f("kits", self.kits), f("labels", self.labels); }
};

/// The kits of a trial and what is in them.
///
/// A number is seven random digits and a check digit. The contents are put in an order drawn uniformly from all and laid on the
/// numbers in theirs, so that neither a number, nor its neighbours, nor the order of a list tells anything of a content.
///
/// checked  kits_test.cpp
class Kits {
 public:
  static constexpr std::int64_t most_kits = 20'000;  ///< of one order

  struct Content {
    std::string lot, expires;
    std::int32_t arm = 0;
  };
  struct Numbered {
    std::string number;
    std::int32_t arm = 0;
  };

  /// Numbers and contents of an order, by number; the kits are not added yet. `arms` has the arm of each kit, in any order.
  /// errors  duplicate (the lot has been labelled); out_of_range (its name, date or size); failure (numbers run out)
  Expected<std::vector<Numbered>> label(KitOrder const& order, std::vector<std::int32_t> arms, Chance& chance) const;
  void add(std::string const& number, Content content);
  /// A number that is never given again, though its kit never came to be.
  void take(std::string const& number) { contents_.try_emplace(number, Content{.lot = {}, .expires = {}, .arm = nobody}); }

  /// The kit to give to somebody of this arm: that which expires first, then by number.
  /// errors  unresolved (a number that is not ours, naming it); refused (none fits), in the same words for every arm
  Expected<std::string> choose(std::int32_t arm, std::span<const allocation::Kit> available) const;
  /// The fewest kits of an arm among the available ones, over the arms that have kits at all.
  Expected<std::int64_t> smallest_stock(std::span<const allocation::Kit> available) const;

  std::map<std::string, Content> lot(std::string_view lot) const;

 private:
  static constexpr std::int32_t nobody = -1;
  Expected<std::int32_t> arm_of(std::string const& number) const;

  std::map<std::string, Content> contents_;  ///< by number
};

}  // namespace equipoise::vault
