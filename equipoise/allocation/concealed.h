#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What the world may know of a concealed allocation: whom it is for, where it stands and what binds it, never the arm. Spoken
/// between the vault, which knows arms, and everybody else.
namespace equipoise::allocation {

/// One allocation to be made. Allocations of a trial are numbered 1, 2, 3, ... in the order in which they are made; with the
/// numbers before and the seed the arm is determined.
struct Request {
  std::int64_t number = 0;
  std::string participant{};
  std::vector<std::int32_t> levels{};  ///< of the randomisation factors, in the order of the protocol
  static void fields(auto& self, auto&& f) {
    f("number", self.number), f("participant", self.participant), f("levels", self.levels);
  }
  friend bool operator==(Request const&, Request const&) = default;
};

/// What a site gets and keeps.
struct Receipt {
  static constexpr bool empty_texts = true;
  std::int64_t number = 0;           ///< of the allocation in the trial
  std::string participant{};
  std::string stream{};              ///< "trial", or the stratum as "site=s1,sex=F"
  std::int64_t position = 0;         ///< in the stream, from 1
  std::string leaf{};                ///< of the committed list (64 hex); empty when the method has none, or beyond its end
  std::vector<std::string> path{};   ///< digests that lead from the leaf to the committed root
  std::string mark{};                ///< HMAC of all before and the levels under a key that the reveal discloses (64 hex)
  static void fields(auto& self, auto&& f) {
    f("number", self.number), f("participant", self.participant), f("stream", self.stream), f("position", self.position);
    f("leaf", self.leaf), f("path", self.path), f("mark", self.mark);
  }
  friend bool operator==(Receipt const&, Receipt const&) = default;
};

/// What is printed, signed and registered before the first participant.
struct Commitment {
  std::string algorithm{};     ///< "equipoise allocation 1": docs/methods/live_allocation.md
  std::string trial{}, environment{};  ///< environment: "live", "test" or "simulated"
  std::string protocol{};      ///< digest
  std::string rule{};          ///< the randomisation in words
  std::string seed{};          ///< commitment to the seed (64 hex)
  std::string root{};          ///< of the list (64 hex); empty when the method has none
  std::int64_t leaves = 0;
  std::string escrow{};        ///< public key (64 hex) to which the seed is sealed; empty: nobody's
  static void fields(auto& self, auto&& f) {
    f("algorithm", self.algorithm), f("trial", self.trial), f("environment", self.environment), f("protocol", self.protocol);
    f("rule", self.rule), f("seed", self.seed), f("root", self.root), f("leaves", self.leaves), f("escrow", self.escrow);
  }
  friend bool operator==(Commitment const&, Commitment const&) = default;
};

/// One allocation, opened.
struct Opening {
  std::int64_t number = 0;
  std::string participant{}, arm{};
  std::string nonce{};  ///< r of the leaf (64 hex), with which anybody can check it; empty without a list
  static void fields(auto& self, auto&& f) {
    f("number", self.number), f("participant", self.participant), f("arm", self.arm), f("nonce", self.nonce);
  }
};

/// A stream of a list that was made elsewhere.
struct ListedStream {
  std::string stream{};             ///< as in a receipt
  std::vector<std::string> arms{};  ///< in the order of their positions
  static void fields(auto& self, auto&& f) { f("stream", self.stream), f("arms", self.arms); }
  friend bool operator==(ListedStream const&, ListedStream const&) = default;
};

/// The end of concealment: the seed, and what it made.
struct Reveal {
  std::string seed{};  ///< 64 hex
  std::vector<Opening> allocations{};
  std::vector<ListedStream> list{};  ///< when the arms come from an imported list and not from the seed: all of it
  static void fields(auto& self, auto&& f) { f("seed", self.seed), f("allocations", self.allocations), f("list", self.list); }
};

/// A dose to be prepared: how much follows from the arm and the weight, and only the preparer sees it.
struct DoseRequest {
  std::int64_t number = 0;  ///< of the allocation
  std::string intervention{}, visit{};
  double weight_kg = 0;
  static void fields(auto& self, auto&& f) {
    f("number", self.number), f("intervention", self.intervention), f("visit", self.visit), f("weight_kg", self.weight_kg);
  }
};
struct DoseOrder {
  double amount = 0;  ///< in `unit`, rounded to `digits` significant digits
  std::string unit{};     ///< "cells"
  std::string formula{};  ///< as the protocol writes it, for the preparer to check: "dose * weight"
  double dose = 0, weight_kg = 0;
  static void fields(auto& self, auto&& f) {
    f("amount", self.amount), f("unit", self.unit), f("formula", self.formula), f("dose", self.dose), f("weight_kg", self.weight_kg);
  }
};

/// A kit: its number says nothing.
struct Kit {
  std::string number{}, lot{};
  std::string expires{};  ///< YYYY-MM-DD
  std::string site{};     ///< where it is; empty: at the depot
  static void fields(auto& self, auto&& f) {
    f("number", self.number), f("lot", self.lot), f("expires", self.expires), f("site", self.site);
  }
};
struct LabelledKit {
  std::string number{}, arm{};
  static void fields(auto& self, auto&& f) { f("number", self.number), f("arm", self.arm); }
};

/// An envelope to print, for days on which the service cannot be reached.
struct Envelope {
  std::string outside{}, inside{};
  static void fields(auto& self, auto&& f) { f("outside", self.outside), f("inside", self.inside); }
};

}  // namespace equipoise::allocation
