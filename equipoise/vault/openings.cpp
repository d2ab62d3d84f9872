// What shows arms: each written to the ledger first.

#include <algorithm>

#include "equipoise/core/record.h"
#include "equipoise/core/text.h"
#include "equipoise/vault/escrow.h"
#include "equipoise/vault/vault.h"

namespace equipoise::vault {
namespace {

constexpr std::size_t longest_note = 2000;  ///< bytes
constexpr std::int64_t most_envelopes = 1000;

/// A part of the kits of a lot, as the ledger keeps it: one record holds `kits_a_record` numbers, whatever their arms.
struct KitRecord {
  std::string lot{}, expires{};
  std::int64_t part = 0, parts = 0;
  std::vector<std::string> numbers{};
  std::string arms{};  ///< two hexadecimal digits each
  static void fields(auto& self, auto&& f) {
    f("lot", self.lot), f("expires", self.expires), f("part", self.part), f("parts", self.parts), f("numbers", self.numbers);
    f("arms", self.arms);
  }
};
constexpr std::size_t kits_a_record = 100;

}  // namespace

Expected<void> Vault::record(std::string kind, UnblindingGrant const* grant, std::string id, std::string text) {
  if (grant && !key_from_hex(grant->act()))
    return fail(Code::refused,
                "nothing is opened without the event that gives the right to it: its digest has 64 hexadecimal digits");
  return ledger_.append({.kind = std::move(kind),
                         .at = surroundings_.clock->now(),
                         .act = grant ? grant->act() : "",
                         .id = std::move(id),
                         .text = std::move(text)});
}

std::vector<Disclosure> Vault::disclosures() const {
  std::vector<Disclosure> shown;
  for (LedgerEntry const& entry : ledger_.entries())
    shown.push_back({.kind = entry.kind, .at = entry.at, .act = entry.act, .id = entry.id});
  return shown;
}

allocation::Opening Vault::opening_of(Allocated const& one) const {
  return {.number = one.request.number,
          .participant = one.request.participant,
          .arm = arm_id(one.made),
          .nonce = list_ && list_->at(one.made.stream, one.made.position)
                       ? hex(nonce_of(*seed_, one.made.stream, one.made.position))
                       : ""};
}

Expected<allocation::Opening> Vault::open(std::string const& participant, UnblindingGrant const& grant) {
  const auto found = by_participant_.find(participant);
  if (found == by_participant_.end()) return fail(Code::unresolved, "nobody called '{}' has an allocation", participant);
  allocation::Opening opening = opening_of(history_[found->second]);
  if (auto kept = record("opening", &grant, participant, encoded(opening)); !kept) return tl::unexpected(kept.error());
  return opening;
}

Expected<allocation::Reveal> Vault::reveal(UnblindingGrant const& grant) {
  if (auto kept = record("reveal", &grant, fmt::format("{} allocations", confirmed())); !kept)
    return tl::unexpected(kept.error());
  allocation::Reveal reveal{.seed = hex(secrets_.seed.bytes())};
  for (Allocated const& one : history_) reveal.allocations.push_back(opening_of(one));
  if (secrets_.list) reveal.list = secrets_.list->streams;
  return reveal;
}

// ---- Doses -----------------------------------------------------------------------------------------------------------------

Expected<allocation::DoseOrder> Vault::dose(allocation::DoseRequest const& request) {
  if (request.number > confirmed())
    return fail(Code::unresolved, "there is no allocation {}; {} are confirmed", request.number, confirmed());
  const auto one = allocated(request.number);
  if (!one) return tl::unexpected(one.error());
  auto order = doses_.order(request, std::size_t(shown((*one)->made.arm)));
  if (!order) return order;
  const std::string id = fmt::format("{}/{}/{}", request.number, request.intervention, request.visit);
  if (auto kept = record("dose", nullptr, id, encoded(*order)); !kept) return tl::unexpected(kept.error());
  return order;
}

Expected<std::string> Vault::keep(Preparation const& preparation) {
  if (preparation.number > confirmed())
    return fail(Code::unresolved, "there is no allocation {}; {} are confirmed", preparation.number, confirmed());
  if (const auto one = allocated(preparation.number); !one) return tl::unexpected(one.error());
  if (preparation.text.size() > longest_note)
    return fail(Code::out_of_range, "a note of the preparer has at most {} bytes", longest_note);
  if (!is_utf8(preparation.text + preparation.intervention + preparation.visit + preparation.by))
    return fail(Code::syntax, "a note of the preparer is UTF-8");
  const std::string name = surroundings_.chance->name();
  if (auto kept = record("preparation", nullptr, name, encoded(preparation)); !kept) return tl::unexpected(kept.error());
  return name;
}

Expected<std::vector<Preparation>> Vault::preparations(UnblindingGrant const& grant) {
  std::vector<Preparation> all;
  for (LedgerEntry const& entry : ledger_.entries())
    if (entry.kind == "preparation") all.push_back(decoded<Preparation>(entry.text).value());
  if (auto kept = record("preparations", &grant, fmt::format("{} notes", all.size())); !kept) return tl::unexpected(kept.error());
  return all;
}

// ---- Kits ------------------------------------------------------------------------------------------------------------------

Expected<void> Vault::load_kits() {
  std::vector<LedgerEntry> const& entries = ledger_.entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].kind != "kits") continue;
    std::vector<KitRecord> parts;
    for (std::size_t at = i; at < entries.size() && entries[at].kind == "kits"; ++at) {
      auto part = decoded<KitRecord>(entries[at].text);
      if (!part) return fail(Code::syntax, "record {} of the ledger holds no kits", at + 1);
      const bool goes_on = part->part == std::int64_t(parts.size()) + 1 && (parts.empty() || part->lot == parts.front().lot);
      if (!goes_on) break;
      parts.push_back(std::move(*part));
      if (parts.back().part == parts.back().parts) break;
    }
    if (parts.empty()) return fail(Code::syntax, "record {} of the ledger holds the middle of a lot", i + 1);
    const bool complete = std::int64_t(parts.size()) == parts.front().parts;
    for (KitRecord const& part : parts) {
      const auto arms = from_hex(part.arms);
      if (!arms || arms->size() != part.numbers.size())
        return fail(Code::syntax, "record {} of the ledger does not hold what it says", i + 1);
      for (std::size_t k = 0; k < part.numbers.size(); ++k) {
        const auto arm = std::int32_t(static_cast<unsigned char>((*arms)[k]));
        if (std::size_t(arm) >= arm_labels_.size())
          return fail(Code::syntax, "record {} of the ledger has kits of an arm that is not there", i + 1);
        if (complete) kits_.add(part.numbers[k], {.lot = part.lot, .expires = part.expires, .arm = arm});
        else kits_.take(part.numbers[k]);  // the crash came before anybody was told these numbers
      }
    }
    i += parts.size() - 1;
  }
  return {};
}

Expected<LabelledLot> Vault::label_kits(KitOrder const& order) {
  std::vector<std::int32_t> arms;
  for (KitOrder::Count const& count : order.counts) {
    const auto arm = std::ranges::find(arm_labels_, count.arm, &std::pair<std::string, std::string>::first);
    if (arm == arm_labels_.end()) return fail(Code::unresolved, "the protocol has no arm '{}'", count.arm);
    if (count.kits < 0 || count.kits > Kits::most_kits || std::int64_t(arms.size()) + count.kits > Kits::most_kits)
      return fail(Code::out_of_range, "1 to {} kits are labelled at a time", Kits::most_kits);
    arms.insert(arms.end(), std::size_t(count.kits), std::int32_t(arm - arm_labels_.begin()));
  }
  auto numbered = kits_.label(order, std::move(arms), *surroundings_.chance);
  if (!numbered) return tl::unexpected(numbered.error());
  for (Kits::Numbered& kit : *numbered) kit.arm = shown(kit.arm);

  const auto parts = std::int64_t((numbered->size() + kits_a_record - 1) / kits_a_record);
  for (std::int64_t part = 1; part <= parts; ++part) {
    KitRecord record_of{.lot = order.lot, .expires = order.expires, .part = part, .parts = parts, .numbers = {}, .arms = {}};
    std::vector<std::uint8_t> numbers;
    for (std::size_t k = std::size_t(part - 1) * kits_a_record; k < std::min(numbered->size(), std::size_t(part) * kits_a_record);
         ++k) {
      record_of.numbers.push_back((*numbered)[k].number);
      numbers.push_back(std::uint8_t((*numbered)[k].arm));
    }
    record_of.arms = hex(numbers);
    if (auto kept = record("kits", nullptr, order.lot, encoded(record_of)); !kept) {
      for (Kits::Numbered const& kit : *numbered) kits_.take(kit.number);  // some may be on the disk
      return tl::unexpected(kept.error());
    }
  }
  LabelledLot lot;
  for (Kits::Numbered const& kit : *numbered) {
    kits_.add(kit.number, {.lot = order.lot, .expires = order.expires, .arm = kit.arm});
    lot.kits.push_back({.number = kit.number, .lot = order.lot, .expires = order.expires, .site = {}});
    lot.labels.push_back({.number = kit.number, .arm = arm_labels_[std::size_t(kit.arm)].first});
  }
  return lot;
}

Expected<LabelledLot> Vault::labels(std::string const& name, UnblindingGrant const& grant) {
  const auto kits = kits_.lot(name);
  if (kits.empty()) return fail(Code::unresolved, "no lot '{}' has been labelled", name);
  if (auto kept = record("labels", &grant, name); !kept) return tl::unexpected(kept.error());
  LabelledLot lot;
  for (auto const& [number, content] : kits) {
    lot.kits.push_back({.number = number, .lot = content.lot, .expires = content.expires, .site = {}});
    lot.labels.push_back({.number = number, .arm = arm_labels_[std::size_t(content.arm)].first});
  }
  return lot;
}

Expected<std::string> Vault::choose_kit(std::int64_t number, std::span<const allocation::Kit> available) const {
  const auto one = allocated(number);
  if (!one) return tl::unexpected(one.error());
  return kits_.choose(shown((*one)->made.arm), available);
}

// ---- Envelopes and escrow --------------------------------------------------------------------------------------------------

Envelope Vault::envelope(std::string const& whose, Made const& made) const {
  auto const& [id, label] = arm_labels_[std::size_t(shown(made.arm))];
  const std::string trial = fmt::format("Trial {} ({})", secrets_.trial.id, secrets_.trial.environment);
  return {.outside = fmt::format("{}\n{}\nOpen only when the service cannot be reached. Write on it date, time and your name.\n",
                                 trial, whose),
          .inside = fmt::format("{}\n{}\nArm: {}{}\n", trial, whose, id, label.empty() || label == id ? "" : " (" + label + ")")};
}

Expected<std::vector<Envelope>> Vault::envelopes(UnblindingGrant const& grant) {
  if (auto kept = record("envelopes", &grant, fmt::format("participants of allocations 1 to {}", confirmed())); !kept)
    return tl::unexpected(kept.error());
  std::vector<Envelope> all;
  for (Allocated const& one : history_)
    all.push_back(envelope(fmt::format("Participant {}, allocation {}", one.request.participant, one.request.number), one.made));
  return all;
}

Expected<std::vector<Envelope>> Vault::envelopes(std::vector<std::int32_t> const& levels, std::int64_t count,
                                                 UnblindingGrant const& grant) {
  allocation::Rule const& rule = replay_.rule();
  if (!secrets_.list && (rule.balances_margins() || !rule.setting().caps.empty()))
    return fail(
        Code::not_available,
        "the arms of this randomisation depend on who comes in other strata, so that none can be printed before they are made");
  if (count < 1 || count > most_envelopes)
    return fail(Code::out_of_range, "1 to {} envelopes are printed at a time", most_envelopes);
  Replay ahead = replay_;
  std::vector<Envelope> all;
  std::string stream;
  std::int64_t first = 0;
  while (std::int64_t(all.size()) < count) {
    const auto made = ahead.next({.number = ahead.made() + 1, .participant = "", .levels = levels});
    if (!made && !all.empty() && made.error().code == Code::refused) break;
    if (!made) return tl::unexpected(made.error());
    if (all.empty()) stream = made->stream, first = made->position;
    all.push_back(
        envelope(fmt::format("Position {} of '{}'\nParticipant: ____________________", made->position, made->stream), *made));
  }
  const std::string id = fmt::format("positions {} to {} of '{}'", first, first + std::int64_t(all.size()) - 1, stream);
  if (auto kept = record("envelopes", &grant, id); !kept) return tl::unexpected(kept.error());
  return all;
}

Expected<std::string> Vault::escrow() {
  if (secrets_.escrow.empty()) return std::string();
  return seal_to_escrow(secrets_.seed, secrets_.escrow, *surroundings_.chance);
}

}  // namespace equipoise::vault
