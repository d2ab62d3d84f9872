#include "equipoise/vault/process.h"

#include <algorithm>
#include <array>

#include "equipoise/core/record.h"
#include "equipoise/protocol/load.h"
#include "equipoise/vault/answers.h"

namespace equipoise::vault {
namespace {

constexpr std::size_t most_told = 1 << 20;

std::string line_of(Expected<void> const& done) { return done ? encoded(Nothing{}) : to_line(done.error()); }
std::string line_of(Expected<std::string> const& text) { return text ? encoded(OneText{*text}) : to_line(text.error()); }
std::string line_of(Expected<std::int64_t> const& number) {
  return number ? encoded(OneNumber{*number}) : to_line(number.error());
}
template <class T>
std::string line_of(Expected<std::vector<T>> const& all) {
  return all ? encoded(Many<T>{*all}) : to_line(all.error());
}
template <record::Struct T>
std::string line_of(Expected<T> const& value) {
  return value ? encoded(*value) : to_line(value.error());
}

using Answer = std::string (*)(Vault&, Question const&);

/// A question lacks what belongs to it.
std::string lacks(Question const& question, std::string_view what) {
  return to_line({Code::missing_key, fmt::format("'{}' needs '{}'", question.ask, what), {}, {}});
}
UnblindingGrant grant_of(Question const& question) { return UnblindingGrant(question.act); }

// One question a line, so that two changes never meet on one.
// clang-format off
constexpr std::array<std::pair<std::string_view, Answer>, 17> answers{{
    {"status", [](Vault& v, Question const&) {
       auto const& c = v.commitment();
       return encoded(Status{.trial = c.trial, .environment = c.environment, .confirmed = v.confirmed(), .ledger = std::int64_t(v.ledger_size()),
                             .ledger_digest = v.ledger_digest(), .notice = v.notice()}); }},
    {"commitment", [](Vault& v, Question const&) { return encoded(v.commitment()); }},
    {"escrow", [](Vault& v, Question const&) { return line_of(v.escrow()); }},
    {"allocate", [](Vault& v, Question const& q) { return q.request ? line_of(v.allocate(*q.request)) : lacks(q, "request"); }},
    {"confirm", [](Vault& v, Question const& q) { return q.number ? line_of(v.confirm(*q.number)) : lacks(q, "number"); }},
    {"receipt", [](Vault& v, Question const& q) { return q.number ? line_of(v.receipt(*q.number)) : lacks(q, "number"); }},
    {"open", [](Vault& v, Question const& q) { return line_of(v.open(q.participant, grant_of(q))); }},
    {"reveal", [](Vault& v, Question const& q) { return line_of(v.reveal(grant_of(q))); }},
    {"dose", [](Vault& v, Question const& q) { return q.dose ? line_of(v.dose(*q.dose)) : lacks(q, "dose"); }},
    {"keep", [](Vault& v, Question const& q) { return q.preparation ? line_of(v.keep(*q.preparation)) : lacks(q, "preparation"); }},
    {"preparations", [](Vault& v, Question const& q) { return line_of(v.preparations(grant_of(q))); }},
    {"label_kits", [](Vault& v, Question const& q) { return q.order ? line_of(v.label_kits(*q.order)) : lacks(q, "order"); }},
    {"labels", [](Vault& v, Question const& q) { return line_of(v.labels(q.lot, grant_of(q))); }},
    {"choose_kit", [](Vault& v, Question const& q) { return q.number ? line_of(v.choose_kit(*q.number, q.kits)) : lacks(q, "number"); }},
    {"smallest_stock", [](Vault& v, Question const& q) { return line_of(v.smallest_stock(q.kits)); }},
    {"envelopes", [](Vault& v, Question const& q) {
       return line_of(q.number ? v.envelopes(q.levels, *q.number, grant_of(q)) : v.envelopes(grant_of(q))); }},
    {"disclosures", [](Vault& v, Question const&) { return line_of(Expected<std::vector<Disclosure>>(v.disclosures())); }},
}};
// clang-format on

/// What is answered from the allocations so far, and what adds to them.
constexpr std::string_view of_history[] = {"allocate", "confirm", "receipt", "open", "reveal", "dose", "keep", "choose_kit", "envelopes"};

}  // namespace

std::string Desk::answer(std::string_view line) {
  const auto question = decoded<Question>(line);
  if (!question) return to_line({Code::syntax, "this is no question to the vault: " + question.error().message, {}, {}});
  return answer(*question);
}

std::string Desk::answer(Question const& question) {
  if (question.ask == "resume") return resume(question);
  if (question.ask == "amend") {
    auto protocol = protocol::load(question.protocol, "the amended protocol");
    return protocol ? line_of(vault_.amend(*protocol)) : to_line(protocol.error().front());
  }
  const auto found = std::ranges::find(answers, question.ask, &std::pair<std::string_view, Answer>::first);
  if (found == answers.end())
    return to_line({Code::unknown_keyword, fmt::format("the vault does not know '{}'", question.ask), {}, {}});
  if (!resumed_ && std::ranges::find(of_history, question.ask) != std::end(of_history))
    return to_line({Code::unavailable, "the vault has started anew and has not been told the allocations of the log", {}, {}});
  return found->second(vault_, question);
}

std::string Desk::resume(Question const& question) {
  if (question.number.value_or(0) == 0) told_.clear();
  if (question.number.value_or(0) != std::int64_t(told_.size()))
    return to_line({Code::conflict,
                    fmt::format("{} requests of the history have been told, and not {}", told_.size(), *question.number),
                    {},
                    {}});
  if (told_.size() + question.history.size() > most_told)
    return to_line({Code::out_of_range, fmt::format("a history has at most {} requests", most_told), {}, {}});
  told_.insert(told_.end(), question.history.begin(), question.history.end());
  if (!question.last) return encoded(Nothing{});
  const std::vector<allocation::Request> history = std::exchange(told_, {});
  const auto resumed = vault_.resume(history);
  resumed_ |= resumed.has_value();
  return line_of(resumed);
}

Expected<void> serve(std::string const& path, Vault& vault, std::atomic<bool> const& stop, LineLimits limits) {
  auto server = LineServer::open(path, limits);
  if (!server) return tl::unexpected(server.error());
  Desk desk(vault);
  return server->run(stop, [&](LineServer::Connection, std::string_view line) { return std::optional(desk.answer(line)); });
}

}  // namespace equipoise::vault
