// Unblinding of one participant in an emergency; snapshot, lock, and the end of concealment.

#include <algorithm>

#include "equipoise/allocation/rule.h"
#include "equipoise/conduct/decider.h"
#include "equipoise/conduct/extract.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {

void Decider::on(RequestUnblinding const& command) {
  need_reason("unblinding a participant");
  Participant const* who = participant(command.participant);
  if (!who) return;
  if (!who->randomised) problem(Code::refused, "participant '{}' is not randomised", who->id);
  if (failed()) return;
  emit(UnblindingRequested{next_id("u", s_.unblinding_requests.size()), who->id, command.drill});
}

void Decider::on(ConfirmUnblinding const& command) {
  need_reason("unblinding a participant");
  const auto found = s_.unblinding_requests.find(command.request);
  if (found == s_.unblinding_requests.end() || !may_know(found->second.participant)) {
    problem(Code::unresolved, "there is no request '{}'", command.request);
    return;
  }
  UnblindingRequest const& request = found->second;
  if (request.by != actor_.user) problem(Code::refused, "a request is confirmed by the physician who made it");
  if (request.confirmed) problem(Code::duplicate, "request '{}' is confirmed", command.request);
  if (failed()) return;
  emit(ParticipantUnblinded{command.request, request.participant, request.drill, {"medical_monitor", "data_manager", "administrator"}});
}

void Decider::on(PrintEnvelopes const& command) {
  need_reason("printing envelopes");
  const bool emergency = command.purpose == "emergency";
  if (!emergency && command.purpose != "downtime")
    problem(Code::unknown_keyword, "envelopes are printed for an emergency (of each participant) or for a downtime (of the next places), and not for '{}'",
            command.purpose);
  EnvelopesPrinted made{.purpose = command.purpose, .factors = command.factors, .count = command.count.value_or(0),
                        .allocations = std::int64_t(s_.allocations.size())};
  if (emergency) {
    if (command.count || !command.factors.empty()) problem(Code::inconsistent, "envelopes for an emergency are of each participant: 'factors' and 'count' are of a downtime");
    if (s_.allocations.empty()) problem(Code::no_data, "nobody is randomised yet");
  } else if (!failed()) {
    const auto rule = allocation::Rule::parse(current().protocol(), problems_);
    if (!rule) return;
    auto const& factors = rule->setting().factors;
    if (command.factors.size() != factors.size())
      problem(Code::size_mismatch, "a stratum is a level of each of the {} factors", factors.size());
    for (std::size_t i = 0; i < std::min(factors.size(), command.factors.size()); ++i) {
      const auto found = std::ranges::find(factors[i].levels, command.factors[i]);
      if (found != factors[i].levels.end()) made.levels.push_back(std::int32_t(found - factors[i].levels.begin()));
      else problem(Code::unresolved, "the factor '{}' has no level '{}'", factors[i].id, command.factors[i]).hint = "levels are " + one_of(factors[i].levels, "and");
    }
    if (made.count < 1 || made.count > 1000) problem(Code::out_of_range, "'count' is from 1 to 1000");
    if (rule->balances_margins()) problem(Code::not_available, "by minimisation the arm of the next participant depends on who comes: there is no envelope for it");
  }
  if (!failed()) emit(std::move(made));
}

void Decider::on(TakeSnapshot const&) {
  emit(SnapshotTaken{next_id("snapshot", s_.snapshots.size()), snapshot_digest(around_.plans, s_)});
}

void Decider::on(LockTrial const&) {
  if (s_.locked) problem(Code::duplicate, "the trial is locked");
  std::size_t open = 0;
  for (auto const& [id, query] : s_.queries) open += query.state != Query::State::closed;
  if (open > 0) problem(Code::refused, "{} quer{} open", open, open == 1 ? "y is" : "ies are");
  if (s_.snapshot_at < s_.data_changed) problem(Code::refused, "data have changed since the last snapshot").hint = "take a snapshot first";
  // A lock is signed: by somebody who answers for the data, and by a statistician, on the data as they are now.
  for (const Role role : {Role::data_manager, Role::blinded_statistician})
    if (std::ranges::none_of(s_.signatures, [&](Signature const& signature) {
          return signature.meaning == "lock" && signature.revision == s_.data_changed && s_.holds_role(signature.user, role, "");
        }))
      problem(Code::refused, "no {} has signed the lock of the data as they are now", word(role));
  if (failed()) return;
  emit(TrialLocked{snapshot_digest(around_.plans, s_)});
}

void Decider::on(UnlockTrial const&) {
  need_reason("unlocking the trial");
  if (!s_.locked) problem(Code::refused, "the trial is not locked");
  if (s_.unblinded) problem(Code::refused, "arms are known: data of this trial do not change any more");
  if (failed()) return;
  emit(TrialUnlocked{});
}

void Decider::on(UnblindTrial const&) {
  if (!s_.locked) problem(Code::refused, "arms are told after the trial is locked");
  else if (s_.snapshots.empty() || snapshot_digest(around_.plans, s_) != s_.snapshots.back().digest)
    problem(Code::verification, "the data are not those of the last snapshot");
  if (failed()) return;
  const auto reveal = around_.vault.reveal(s_.digest);
  if (!reveal) problems_.push_back(reveal.error());
  else emit(TrialUnblinded{*reveal});
}

}  // namespace equipoise::conduct
