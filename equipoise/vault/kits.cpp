#include "equipoise/vault/kits.h"

#include <algorithm>
#include <set>

#include "equipoise/core/check_digit.h"
#include "equipoise/core/dates.h"
#include "equipoise/core/text.h"

namespace equipoise::vault {
namespace {

constexpr std::uint64_t numbers = 10'000'000;

/// A whole number below `bound`, each equally probable: words in the incomplete last interval are drawn again.
std::uint64_t below(std::uint64_t bound, Chance& chance) {
  for (;;) {
    std::uint8_t bytes[8];
    chance.fill(bytes, sizeof bytes);
    std::uint64_t word = 0;
    for (const std::uint8_t byte : bytes) word = word << 8 | byte;
    if (word >= (0 - bound) % bound) return word % bound;
  }
}

}  // namespace

Expected<std::vector<Kits::Numbered>> Kits::label(KitOrder const& order, std::vector<std::int32_t> arms, Chance& chance) const {
  if (order.lot.empty() || order.lot.size() > 64 || !is_utf8(order.lot))
    return fail(Code::out_of_range, "a lot has a name of 1 to 64 bytes");
  const auto day = to_partial_date(order.expires);
  if (!day || !day->exact())
    return fail(Code::out_of_range, "a lot expires on a day such as 2027-06-30, and not on '{}'", order.expires);
  if (arms.empty() || std::int64_t(arms.size()) > most_kits)
    return fail(Code::out_of_range, "1 to {} kits are labelled at a time, and not {}", most_kits, arms.size());
  for (auto const& [number, content] : contents_)
    if (content.lot == order.lot) return fail(Code::duplicate, "the lot '{}' has been labelled", order.lot);
  if (contents_.size() + arms.size() > numbers / 2) return fail(Code::failure, "there are not enough numbers for so many kits");

  std::set<std::string> drawn;  // in order
  while (drawn.size() < arms.size()) {
    std::string number = fmt::format("{:07}", below(numbers, chance));
    number += check_digit(number);
    if (!contents_.contains(number)) drawn.insert(std::move(number));
  }
  for (std::size_t i = arms.size(); i > 1; --i)
    std::swap(arms[i - 1], arms[std::size_t(below(i, chance))]);  // Durstenfeld (1964)
  std::vector<Numbered> kits;
  for (std::string const& number : drawn) kits.push_back({.number = number, .arm = arms[kits.size()]});
  return kits;
}

void Kits::add(std::string const& number, Content content) { contents_[number] = std::move(content); }

Expected<std::int32_t> Kits::arm_of(std::string const& number) const {
  const auto found = contents_.find(number);
  if (found == contents_.end() || found->second.arm == nobody)
    return fail(Code::unresolved, "no kit of this trial has the number '{}'", number);
  return found->second.arm;
}

Expected<std::string> Kits::choose(std::int32_t arm, std::span<const allocation::Kit> available) const {
  allocation::Kit const* best = nullptr;
  for (allocation::Kit const& kit : available) {
    const auto of = arm_of(kit.number);
    if (!of) return tl::unexpected(of.error());
    if (*of != arm) continue;
    if (!best || std::tie(kit.expires, kit.number) < std::tie(best->expires, best->number)) best = &kit;
  }
  if (!best) return fail(Code::refused, "none of the available kits can be given for this allocation");
  return best->number;
}

Expected<std::int64_t> Kits::smallest_stock(std::span<const allocation::Kit> available) const {
  std::map<std::int32_t, std::int64_t> stock;
  for (auto const& [number, content] : contents_)
    if (content.arm != nobody) stock[content.arm] = 0;
  for (allocation::Kit const& kit : available) {
    const auto arm = arm_of(kit.number);
    if (!arm) return tl::unexpected(arm.error());
    ++stock[*arm];
  }
  std::int64_t smallest = stock.empty() ? 0 : std::numeric_limits<std::int64_t>::max();
  for (auto const& [arm, kits] : stock) smallest = std::min(smallest, kits);
  return smallest;
}

std::map<std::string, Kits::Content> Kits::lot(std::string_view lot) const {
  std::map<std::string, Content> kits;
  for (auto const& [number, content] : contents_)
    if (content.arm != nobody && content.lot == lot) kits.emplace(number, content);
  return kits;
}

}  // namespace equipoise::vault
