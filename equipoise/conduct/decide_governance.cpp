// Users and roles, acts of two people, enrolment as a whole, amendments, restored copies, redaction.

#include <algorithm>

#include "equipoise/conduct/decider.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {

void Decider::on(AddUser const& command) {
  if (!is_id(command.user, true)) problem(Code::out_of_range, "'{}' is no user name: small letters, digits, '_' and '-'", command.user);
  if (trimmed(command.full_name).empty()) problem(Code::missing_key, "a user has a full name: it is printed with signatures");
  if (!key_from_hex(command.secret)) problem(Code::wrong_type, "'secret' is the SHA-256 of the user's secret, 64 hexadecimal digits");
  if (User const* there = s_.user(command.user))  // accounts are never given to somebody else (C13)
    problem(Code::duplicate, "the user name '{}' {}", command.user, there->ended ? "belonged to somebody whose access has ended" : "is taken");
  if (failed()) return;
  emit(UserAdded{command.user, command.full_name, command.secret});
}

void Decider::on(GrantRole const& command) {
  const auto role = to_role(command.role);
  User const* user = s_.user(command.user);
  if (!role) problem(Code::unknown_keyword, "there is no role '{}'", command.role).hint = "roles are " + one_of(role_words(), "and");
  if (!user || user->ended) problem(Code::unresolved, "there is no user '{}'", command.user);
  const std::string site = command.site.value_or("");
  auto const& sites = current().protocol().sites;
  if (!site.empty() && std::ranges::find(sites, site, &protocol::Site::id) == sites.end())
    problem(Code::unresolved, "there is no site '{}'", site);
  if (role && works_at_site(*role) && site.empty()) problem(Code::missing_key, "a {} works at a site: say at which", command.role);
  if (role && !works_at_site(*role) && !site.empty() && *role != Role::monitor)
    problem(Code::inconsistent, "a {} works for the whole trial, not for a site", command.role);
  if (failed()) return;
  if (std::ranges::find(user->grants, Grant{*role, site}) != user->grants.end())
    problem(Code::duplicate, "'{}' has this role already", command.user);
  // Who is blinded and who is not are different people: one head cannot be both.
  const bool opens = may_be_unblinded(*role);
  for (Grant const& grant : user->grants)
    if (may_be_unblinded(grant.role) != opens && grant.role != Role::administrator && *role != Role::administrator)
      problem(Code::refused, "'{}' is {} already, and {} be blinded: one person cannot be both", command.user, word(grant.role),
              opens ? "must" : "cannot");
  if (failed()) return;
  emit(RoleGranted{command.user, command.role, site});
}

void Decider::on(RevokeRole const& command) {
  need_reason("taking a role away");
  const auto role = to_role(command.role);
  User const* user = s_.user(command.user);
  const Grant grant{role.value_or(Role::coordinator), command.site.value_or("")};
  if (!role || !user || std::ranges::find(user->grants, grant) == user->grants.end())
    problem(Code::unresolved, "'{}' does not have this role", command.user);
  if (failed()) return;
  emit(RoleRevoked{command.user, command.role, grant.site});
}

void Decider::on(EndAccess const& command) {
  need_reason("ending somebody's access");
  User const* user = s_.user(command.user);
  if (!user || user->ended) problem(Code::unresolved, "there is no user '{}' with access", command.user);
  else if (command.user == actor_.user) problem(Code::refused, "nobody ends the own access");
  if (failed()) return;
  emit(AccessEnded{command.user});
}

void Decider::on(Approve const& command) {
  const auto found = s_.proposals.find(command.proposal);
  if (found == s_.proposals.end() || found->second.state != Proposal::State::open) {
    problem(Code::unresolved, "there is no open proposal '{}'", command.proposal);
    return;
  }
  Proposal const& proposal = found->second;
  if (proposal.by == actor_.user) problem(Code::refused, "a proposal is approved by somebody else than the one who made it");
  if (!has(permission(proposal.command)->roles, actor_.role))
    problem(Code::refused, "the role '{}' may not approve '{}'", word(actor_.role), proposal.command);
  const auto proposed = decoded_command(proposal.command, proposal.data);
  if (!proposed) problem(Code::inconsistent, "the proposal cannot be read: {}", proposed.error().message);
  if (failed()) return;
  emit(Approved{command.proposal});
  // What it asks for is judged as things stand now. The reason is that of the proposal.
  Actor both = actor_;
  if (both.reason.empty() && !proposal.reason.empty()) both.reason = "as proposed";
  Decider second(s_, both, around_);
  std::visit([&](auto const& one) { second.on(one); }, *proposed);
  problems_ = std::move(second.problems_);
  for (Event& event : second.made_.events) made_.events.push_back(std::move(event));
  for (StoredText& text : second.made_.texts) made_.texts.push_back(std::move(text));
  for (Once& once : second.made_.once) made_.once.push_back(std::move(once));
  for (TextId& text : second.made_.destroyed) made_.destroyed.push_back(std::move(text));
}

void Decider::on(Decline const& command) {
  const auto found = s_.proposals.find(command.proposal);
  if (found == s_.proposals.end() || found->second.state != Proposal::State::open)
    problem(Code::unresolved, "there is no open proposal '{}'", command.proposal);
  else if (found->second.by != actor_.user && !has(permission(found->second.command)->roles, actor_.role))
    problem(Code::refused, "the role '{}' may not decline '{}'", word(actor_.role), found->second.command);
  if (failed()) return;
  emit(Declined{command.proposal});
}

void Decider::on(PauseEnrolment const& command) {
  need_reason("pausing enrolment");
  const std::string site = command.at.value_or("");
  auto const& sites = current().protocol().sites;
  if (!site.empty() && std::ranges::find(sites, site, &protocol::Site::id) == sites.end())
    problem(Code::unresolved, "there is no site '{}'", site);
  if (s_.paused.contains(site)) problem(Code::duplicate, "enrolment is paused already");
  if (failed()) return;
  emit(EnrolmentPaused{site});
}

void Decider::on(ResumeEnrolment const& command) {
  const std::string site = command.at.value_or("");
  if (!s_.paused.contains(site)) problem(Code::unresolved, "enrolment is not paused{}", site.empty() ? "" : " at this site");
  if (failed()) return;
  emit(EnrolmentResumed{site});
}

void Decider::on(Amend const& command) {
  const auto document = around_.store.document(command.document);
  if (!document) {
    problems_.push_back(document.error());
    return;
  }
  if (!*document) {
    problem(Code::unresolved, "the amended protocol has not been handed in");
    return;
  }
  const auto plan = Plan::make((*document)->bytes, "the amended protocol", problems_);
  if (!plan) return;
  protocol::Protocol const* const loaded = &plan->protocol();
  protocol::Protocol const& before = current().protocol();
  if (loaded->digest == before.digest) problem(Code::inconsistent, "the protocol is the one in force");
  if (s_.version(loaded->digest)) problem(Code::inconsistent, "this version was in force before");
  if (loaded->trial.id != before.trial.id) problem(Code::inconsistent, "this is the protocol of the trial '{}'", loaded->trial.id);
  if (loaded->trial.version == before.trial.version)
    problem(Code::inconsistent, "an amendment is a new version, and this is version {} again", loaded->trial.version);
  // Allocations already made would not have been made so.
  const auto same_arms = std::ranges::equal(loaded->arms, before.arms, {}, &protocol::Arm::id, &protocol::Arm::id);
  const auto text = [](protocol::Protocol const& p) { return p.randomisation ? canonical(p.randomisation->section) : std::string(); };
  if (!same_arms || text(*loaded) != text(before))
    problem(Code::refused, "arms and [randomisation] of a running trial are not amended: what has been committed to would not hold");
  for (protocol::Site const& site : before.sites)
    if (std::ranges::find(loaded->sites, site.id, &protocol::Site::id) == loaded->sites.end())
      problem(Code::refused, "site '{}' is not there any more; sites are closed by pausing their enrolment", site.id);
  if (loaded->randomisation && std::ranges::any_of(before.randomisation_factors, [](auto const& factor) { return !factor.rule; }) &&
      !std::ranges::equal(loaded->sites, before.sites, {}, &protocol::Site::id, &protocol::Site::id))
    problem(Code::refused, "the site is a factor of the randomisation, so that sites are neither added nor moved");
  if (failed()) return;
  emit(Amended{command.document, loaded->digest, loaded->trial.version, command.new_consent});
}

void Decider::on(Reconcile const& command) {
  if (!s_.reconciling) {
    problem(Code::refused, "nothing is to be reconciled");
    return;
  }
  std::vector<LostAllocation> lost = command.lost;
  std::ranges::sort(lost, {}, [](LostAllocation const& one) { return one.request.number; });
  std::int64_t next = std::int64_t(s_.allocations.size());
  for (LostAllocation const& one : lost) {
    ++next;
    Participant const* who = s_.participant(one.request.participant);
    if (one.request.number != next)
      problem(Code::inconsistent, "allocation {} is not among the receipts, and {} is", next, one.request.number);
    if (!who) problem(Code::unresolved, "there is no participant '{}': enrol again first", one.request.participant);
    else if (who->randomised) problem(Code::duplicate, "participant '{}' is randomised", who->id);
    const auto genuine = around_.vault.genuine(one.request, one.receipt);
    if (!genuine) problems_.push_back(genuine.error());
    else if (!*genuine) problem(Code::verification, "the receipt of allocation {} was not made by this trial's vault", one.request.number);
    if (failed()) return;
    emit(Randomised{.participant = who->id, .date = one.date, .factors = {}, .request = one.request, .receipt = one.receipt, .restored = true});
    made_.once.push_back({"allocation", std::to_string(one.request.number)});
    made_.once.push_back({"randomised", who->id});
  }
  emit(Reconciled{std::int64_t(lost.size())});
}

void Decider::on(Redact const& command) {
  need_reason("destroying a text");
  bool named = false;
  const auto read = around_.store.read(command.event - 1, [&](StoredEvent const& event) {
    named = event.bytes.find('"' + command.text + '"') != std::string::npos;
    return false;
  });
  if (!read) problems_.push_back(read.error());
  else if (!named || command.text.size() != 64) problem(Code::unresolved, "event {} names no text '{}'", command.event, command.text);
  else if (s_.redacted.contains(command.text)) problem(Code::duplicate, "the text is destroyed already");
  if (failed()) return;
  emit(Redacted{command.event, command.text});
  made_.destroyed.push_back(command.text);
}

}  // namespace equipoise::conduct
