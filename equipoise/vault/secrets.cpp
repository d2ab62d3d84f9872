#include "equipoise/vault/secrets.h"

#include <algorithm>

#include "equipoise/core/record.h"
#include "equipoise/core/text.h"

namespace equipoise::vault {
namespace {

/// All but the seed, which never becomes a text.
struct Beside {
  std::string trial{}, protocol{}, environment{}, source{}, escrow{}, list{};
  static void fields(auto& self, auto&& f) {
    f("trial", self.trial), f("protocol", self.protocol), f("environment", self.environment), f("source", self.source);
    f("escrow", self.escrow), f("list", self.list);
  }
};

const std::vector<std::string> environments{"live", "test", "simulated"};

}  // namespace

Expected<allocation::Rule> rule_of(protocol::Protocol const& protocol) {
  if (!protocol.randomisation) return fail(Code::inconsistent, "the protocol has no section [randomisation]");
  Problems problems;
  auto rule = allocation::Rule::parse(protocol, problems);
  if (!rule)
    return tl::unexpected(problems.empty() ? Error{Code::inconsistent, "[randomisation] has no arms", {}, {}} : problems.front());
  return *rule;
}

Expected<Secrets> draw_secrets(protocol::Protocol const& protocol, std::string const& environment, std::string const& escrow,
                               Chance& chance) {
  if (std::ranges::find(environments, environment) == environments.end())
    return fail(Code::unknown_keyword, "an environment is {}, and not '{}'", one_of(environments), environment);
  if (!escrow.empty() && !key_from_hex(escrow))
    return fail(Code::out_of_range, "a public key for escrow has 64 hexadecimal digits, in lower case");
  const bool of_the_system = dynamic_cast<SystemChance*>(&chance) != nullptr;
  if (environment == "live" && !of_the_system)
    return fail(Code::refused, "the seed of a live trial comes from the operating system and from nothing else");
  return Secrets{
      .trial = {.id = protocol.trial.id, .protocol = protocol.digest, .environment = environment},
      .seed = SecretBytes::drawn(32, chance),
      .source = of_the_system ? "32 bytes of the operating system (getrandom, by libsodium)" : "a source that a test has put in",
      .escrow = escrow,
      .list = {}};
}

Expected<void> import_list(Secrets& secrets, ImportedList list, protocol::Protocol const& protocol) {
  if (list.environment != secrets.trial.environment)
    return fail(Code::refused, "the list was made for the environment '{}', and this vault is '{}'", list.environment,
                secrets.trial.environment);
  if (list.trial != secrets.trial.id)
    return fail(Code::refused, "the list was made for the trial '{}', and this one is '{}'", list.trial, secrets.trial.id);
  const auto rule = rule_of(protocol);
  if (!rule) return tl::unexpected(rule.error());
  const Problems problems = check_list(list, *rule);
  if (!problems.empty()) {
    std::vector<std::string> sentences;
    for (Error const& problem : problems) sentences.push_back(problem.message);
    return fail(problems.front().code, "{}", join(sentences, "; "));
  }
  secrets.list = std::move(list);
  return {};
}

Expected<std::string> seal_secrets(Secrets const& secrets, Lock const& lock, Chance& chance) {
  std::string beside = encoded(Beside{.trial = secrets.trial.id,
                                      .protocol = secrets.trial.protocol,
                                      .environment = secrets.trial.environment,
                                      .source = secrets.source,
                                      .escrow = secrets.escrow,
                                      .list = secrets.list ? packed(*secrets.list) : ""});
  SecretBytes content(32 + beside.size());
  std::ranges::copy(secrets.seed.bytes(), content.bytes().begin());
  std::ranges::copy(beside, content.bytes().begin() + 32);
  wipe(beside);
  return seal_box(BoxKind::vault, content, lock, chance);
}

Expected<Secrets> open_secrets(std::string_view bytes, Lock const& lock, std::string const& name) {
  const auto content = open_box(BoxKind::vault, bytes, lock, name);
  if (!content) return tl::unexpected(content.error());
  auto beside = content->bytes().size() < 32 ? fail(Code::syntax, "") : decoded<Beside>(content->text().substr(32));
  if (!beside) return fail(Code::syntax, "{} does not hold what it says", name);
  Secrets secrets{.trial = {.id = beside->trial, .protocol = beside->protocol, .environment = beside->environment},
                  .source = beside->source,
                  .escrow = beside->escrow,
                  .list = {}};
  std::ranges::copy(content->bytes().first(32), secrets.seed.bytes().begin());
  if (!beside->list.empty()) {
    auto list = unpacked(beside->list);
    if (!list) return fail(Code::syntax, "{} does not hold what it says", name);
    secrets.list = std::move(*list);
    wipe(beside->list);
  }
  return secrets;
}

}  // namespace equipoise::vault
