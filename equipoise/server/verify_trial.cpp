#include "equipoise/server/verify_trial.h"

#include <algorithm>
#include <array>
#include <set>

#include "equipoise/conduct/extract.h"
#include "equipoise/conduct/replay.h"
#include "equipoise/vault/verify.h"

namespace equipoise::server {
namespace {

class Verifier {
 public:
  Verifier(conduct::EventStore const& store, vault::Witness const* witness, std::vector<vault::Disclosure> const* shown)
      : store_(store), witness_(witness), shown_(shown) {}

  Expected<TrialVerification> verify() {
    if (const auto read = fold_log(); !read) {
      if (read.error().code != Code::inconsistent) return tl::unexpected(read.error());
      found("log", false, "{}", read.error().message);
    }
    made_.events = state_.last, made_.digest = state_.digest;
    if (state_.opened) made_.trial = state_.opened->trial, made_.environment = state_.opened->environment;
    if (!made_.findings.empty()) return made_;  // a broken log proves nothing further
    found("log", true, "{} events, each of which is the one that the next one names", state_.last);
    witness();
    lock();
    allocations();
    disclosures();
    return made_;
  }

 private:
  template <class... Args>
  void found(std::string what, bool holds, fmt::format_string<Args...> text, Args&&... args) {
    made_.findings.push_back({std::move(what), holds, fmt::format(text, std::forward<Args>(args)...)});
  }

  Expected<void> fold_log() {
    return conduct::replay(store_, state_, [&](conduct::TrialEvent const& event) -> Expected<void> {
      if (const std::string file = conduct::protocol_file_of(event.event); !file.empty())
        if (const auto loaded = load(file); !loaded) return loaded;
      note_right(event);
      // A snapshot is held against the data as they were then.
      if (auto const* snapshot = std::get_if<conduct::SnapshotTaken>(&event.event))
        if (const std::string now = conduct::snapshot_digest(plans_, state_); now != snapshot->digest)
          found("lock", false, "{}: the data of that moment have the digest {}, and {} is recorded", snapshot->snapshot, now, snapshot->digest);
      return {};
    });
  }

  Expected<void> load(std::string const& digest) {
    const auto bytes = conduct::protocol_file(store_, digest);
    if (!bytes) return tl::unexpected(bytes.error());
    Problems problems;
    auto plan = conduct::Plan::make(*bytes, "the protocol of the log", problems);
    if (!plan) return tl::unexpected(problems.front());
    plans_.add(std::move(plan));
    return {};
  }

  void witness() {
    if (!witness_) return;
    const vault::Standing standing = witness_->judge(state_.last, [&](std::int64_t sequence) { return conduct::digest_at(store_, sequence); });
    const std::string sentence = witness_->sentence(standing, state_.last);
    const bool fine = standing == vault::Standing::fine || standing == vault::Standing::absent;
    found("witness", fine, "{}", sentence.empty() ? "the log holds all that its witness saw" : sentence);
  }

  void lock() {
    if (!state_.locked || state_.snapshots.empty()) return;
    const std::string now = conduct::snapshot_digest(plans_, state_);
    const bool same = now == state_.snapshots.back().digest;
    if (same) found("lock", true, "the data are those that were locked: {}", now);
    else found("lock", false, "the data have the digest {}, and {} was locked", now, state_.snapshots.back().digest);
  }

  void allocations() {
    if (!state_.unblinded) {
      found("allocation", true, "{} allocations; they are proved when the seed is revealed", state_.allocations.size());
      return;
    }
    conduct::Plan const* first = plans_.find(state_.opened->protocol);
    conduct::Plan const* last = plans_.find(state_.version().protocol);
    std::vector<allocation::Receipt> receipts(state_.allocations.size());
    for (conduct::Participant const& who : state_.participants)
      if (who.randomised) receipts[std::size_t(who.randomised->request.number - 1)] = who.randomised->receipt;
    const vault::PublicRecord record{.protocol = first->protocol(), .amended = first == last ? nullptr : &last->protocol(),
                                     .commitment = state_.opened->commitment, .requests = state_.allocations, .receipts = receipts};
    const auto discrepancies = vault::verify(record, state_.unblinded->reveal);
    for (vault::Discrepancy const& one : discrepancies)
      found("allocation", false, "{}{}", one.number > 0 ? fmt::format("allocation {}: ", one.number) : "", one.sentence);
    if (discrepancies.empty())
      found("allocation", true, "the revealed seed is the one committed to, and makes all {} allocations, receipts and arms",
            state_.allocations.size());
  }

  /// What each event gives the vault the right to show, as the ledger names it: kind, digest of the event, and of what.
  void note_right(conduct::TrialEvent const& event) {
    if (auto const* one = std::get_if<conduct::ParticipantUnblinded>(&event.event); one && !one->drill)
      rights_.insert({"opening", state_.digest, one->participant});
    else if (auto const* taken = std::get_if<conduct::Accessed>(&event.event); taken && taken->about == "arms of all participants")
      rights_.insert({"opening", state_.digest, ""});  // for an unblinded role
    else if (auto const* lot = std::get_if<conduct::KitsLabelled>(&event.event)) rights_.insert({"labels", "", lot->lot});
    else if (std::holds_alternative<conduct::EnvelopesPrinted>(event.event)) rights_.insert({"envelopes", state_.digest, ""});
    else if (std::holds_alternative<conduct::Approved>(event.event)) before_approval_ = event.envelope.previous;
    else if (std::holds_alternative<conduct::TrialUnblinded>(event.event)) rights_.insert({"reveal", before_approval_, ""});  // what the two approved
  }

  /// Doses, kits and notes of preparers need no event before them: whoever prepares is unblinded.
  void disclosures() {
    if (!shown_) return;
    std::size_t held = 0;
    for (vault::Disclosure const& one : *shown_) {
      if (one.kind == "dose" || one.kind == "kits" || one.kind == "preparation") continue;
      const bool by_act = one.kind != "labels", of_one = one.kind == "opening" || one.kind == "labels";
      ++held;
      const std::string act = by_act ? one.act : "";
      if (!rights_.contains({one.kind, act, of_one ? one.id : ""}) && !(by_act && rights_.contains({one.kind, act, ""})))
        found("disclosure", false, "on {} the vault showed '{}' ({}) by right of {}, and the log has no such event", to_string(one.at), one.kind,
              one.id, one.act.substr(0, 12));
    }
    if (std::ranges::all_of(made_.findings, [](auto const& one) { return one.what != "disclosure"; }))
      found("disclosure", true, "each of the {} times that the vault showed an arm there is the event that gave the right to it", held);
  }

  conduct::EventStore const& store_;
  vault::Witness const* witness_;
  std::vector<vault::Disclosure> const* shown_;
  std::set<std::array<std::string, 3>> rights_;
  std::string before_approval_;
  conduct::State state_;
  conduct::Plans plans_;
  TrialVerification made_;
};

}  // namespace

bool TrialVerification::holds() const {
  return std::ranges::all_of(findings, [](Finding const& one) { return one.holds; });
}

Expected<TrialVerification> verify_trial(conduct::EventStore const& store, vault::Witness const* witness,
                                         std::vector<vault::Disclosure> const* shown) {
  return Verifier(store, witness, shown).verify();
}

}  // namespace equipoise::server
