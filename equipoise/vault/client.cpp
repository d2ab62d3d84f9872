#include "equipoise/core/record.h"
#include "equipoise/vault/answers.h"
#include "equipoise/vault/process.h"

namespace equipoise::vault {
namespace {

constexpr std::size_t part_of_history = 256 << 10;  ///< bytes of a line, well below what a server takes

Expected<void> nothing(Expected<Nothing> const& answer) {
  if (!answer) return tl::unexpected(answer.error());
  return {};
}
Expected<std::string> text(Expected<OneText> const& answer) {
  return answer.map([](OneText const& one) { return one.text; });
}
Expected<std::int64_t> number(Expected<OneNumber> const& answer) {
  return answer.map([](OneNumber const& one) { return one.number; });
}
template <class T>
Expected<std::vector<T>> all(Expected<Many<T>> answer) {
  if (!answer) return tl::unexpected(answer.error());
  return std::move(answer->all);
}

}  // namespace

template <class Answer>
Expected<Answer> Client::ask(Question const& question) {
  auto line = lines_.ask(encoded(question), timeout_);
  if (!line) return tl::unexpected(line.error());
  if (auto error = error_in(*line)) return tl::unexpected(std::move(*error));
  auto answer = decoded<Answer>(*line);
  if (!answer) return fail(Code::syntax, "the vault answered '{}' with what is no answer to it", question.ask);
  return answer;
}

Expected<Status> Client::status() { return ask<Status>({.ask = "status"}); }
Expected<allocation::Commitment> Client::commitment() { return ask<allocation::Commitment>({.ask = "commitment"}); }
Expected<std::string> Client::escrow() { return text(ask<OneText>({.ask = "escrow"})); }

Expected<void> Client::resume(std::span<const allocation::Request> history) {
  Question question{.ask = "resume", .number = 0};
  std::size_t bytes = 0;
  for (allocation::Request const& request : history) {
    bytes += encoded(request).size() + 1;
    question.history.push_back(request);
    if (bytes < part_of_history) continue;
    if (auto told = ask<Nothing>(question); !told) return tl::unexpected(told.error());
    *question.number += std::int64_t(question.history.size());
    question.history.clear(), bytes = 0;
  }
  question.last = true;
  return nothing(ask<Nothing>(question));
}

Expected<void> Client::amend(std::string protocol_text) {
  return nothing(ask<Nothing>({.ask = "amend", .protocol = std::move(protocol_text)}));
}
Expected<allocation::Receipt> Client::allocate(allocation::Request const& request) {
  return ask<allocation::Receipt>({.ask = "allocate", .request = request});
}
Expected<void> Client::confirm(std::int64_t number) { return nothing(ask<Nothing>({.ask = "confirm", .number = number})); }
Expected<allocation::Receipt> Client::receipt(std::int64_t number) {
  return ask<allocation::Receipt>({.ask = "receipt", .number = number});
}
Expected<allocation::Opening> Client::open(std::string const& participant, UnblindingGrant const& grant) {
  return ask<allocation::Opening>({.ask = "open", .participant = participant, .act = grant.act()});
}
Expected<allocation::Reveal> Client::reveal(UnblindingGrant const& grant) {
  return ask<allocation::Reveal>({.ask = "reveal", .act = grant.act()});
}
Expected<allocation::DoseOrder> Client::dose(allocation::DoseRequest const& request) {
  return ask<allocation::DoseOrder>({.ask = "dose", .dose = request});
}
Expected<std::string> Client::keep(Preparation const& preparation) {
  return text(ask<OneText>({.ask = "keep", .preparation = preparation}));
}
Expected<std::vector<Preparation>> Client::preparations(UnblindingGrant const& grant) {
  return all(ask<Many<Preparation>>({.ask = "preparations", .act = grant.act()}));
}
Expected<LabelledLot> Client::label_kits(KitOrder const& order) {
  return ask<LabelledLot>({.ask = "label_kits", .order = order});
}
Expected<LabelledLot> Client::labels(std::string const& lot, UnblindingGrant const& grant) {
  return ask<LabelledLot>({.ask = "labels", .act = grant.act(), .lot = lot});
}
Expected<std::string> Client::choose_kit(std::int64_t number, std::span<const allocation::Kit> available) {
  return text(ask<OneText>({.ask = "choose_kit", .number = number, .kits = {available.begin(), available.end()}}));
}
Expected<std::int64_t> Client::smallest_stock(std::span<const allocation::Kit> available) {
  return number(ask<OneNumber>({.ask = "smallest_stock", .kits = {available.begin(), available.end()}}));
}
Expected<std::vector<Envelope>> Client::envelopes(UnblindingGrant const& grant) {
  return all(ask<Many<Envelope>>({.ask = "envelopes", .act = grant.act()}));
}
Expected<std::vector<Envelope>> Client::envelopes(std::vector<std::int32_t> const& levels, std::int64_t count,
                                                  UnblindingGrant const& grant) {
  return all(ask<Many<Envelope>>({.ask = "envelopes", .number = count, .act = grant.act(), .levels = levels}));
}
Expected<std::vector<Disclosure>> Client::disclosures() { return all(ask<Many<Disclosure>>({.ask = "disclosures"})); }

}  // namespace equipoise::vault
