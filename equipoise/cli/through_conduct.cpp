#include "equipoise/cli/through_conduct.h"

#include "equipoise/core/digest.h"
#include "equipoise/core/record.h"

namespace equipoise::cli {
namespace {

using server::Json;

std::string secret_of(std::string const& user) { return "no secret: the virtual " + user; }

/// "coordinator_s1", "data_manager_2".
std::string user_of(conduct::Role role, std::string const& site, bool second) {
  return std::string(conduct::word(role)) + (conduct::works_at_site(role) ? "_" + site : "") + (second ? "_2" : "");
}

class Carrier {
 public:
  explicit Carrier(AskService const& ask) : ask_(ask) {}

  Expected<Json> question(conduct::Role role, std::string const& site, bool second, Instant at, bool looks, std::string_view name,
                          Json data, std::string const& reason = {}) {
    const std::string user = user_of(role, site, second);
    Json question{{"user", user}, {"secret", secret_of(user)}, {"role", conduct::word(role)}, {"at", to_string(at)}};
    if (conduct::works_at_site(role)) question["site"] = site;
    if (!reason.empty()) question["reason"] = reason;
    if (looks) question["view"] = name;
    else question["key"] = fmt::format("virtual {}", ++keys_), question["command"] = name;
    question["data"] = std::move(data);
    const auto line = ask_(question.dump());
    if (!line) return tl::unexpected(line.error());
    Json answer = Json::parse(*line, nullptr, false);
    if (answer.is_discarded()) return fail(Code::failure, "the service answered something that is no JSON");
    return answer;
  }

  /// The same, of which the answer must be that it was done.
  Expected<Json> done(conduct::Role role, std::string const& site, bool second, Instant at, std::string_view name,
                      Json data = Json::object(), std::string const& reason = {}) {
    auto answer = question(role, site, second, at, false, name, std::move(data), reason);
    if (answer && !answer->value("ok", false)) return tl::unexpected(refused(*answer, name, at));
    return answer;
  }

  Expected<void> act(simulate::ScriptedAct const& act, Carried& carried) {
    Json data = Json::parse(conduct::encoded_command(act.command));
    if (auto const* randomise = std::get_if<conduct::Randomise>(&act.command)) {
      const auto seen = question(act.role, act.site, false, act.at, true, "read_back", {{"participant", randomise->participant}});
      if (!seen) return tl::unexpected(seen.error());
      if (!seen->value("ok", false)) return tl::unexpected(refused(*seen, "read_back", act.at));
      data["confirm"] = (*seen)["shown"]["confirm"];
    }
    const std::string_view name = conduct::name_of(act.command);
    auto answer = question(act.role, act.site, act.second, act.at, false, name, data, act.reason);
    if (!answer) return tl::unexpected(answer.error());
    if (!answer->value("ok", false)) {
      const Json accept = soft_checks(*answer);
      if (accept.empty()) return tl::unexpected(refused(*answer, name, act.at));
      data["accept"] = accept;
      if (const auto again = done(act.role, act.site, act.second, act.at, name, data, act.reason); !again)
        return tl::unexpected(again.error());
      carried.accepted_checks += std::int64_t(accept.size());
    }
    ++carried.acts;
    return {};
  }

 private:
  /// The soft checks of a refusal, when nothing else stood in the way.
  static Json soft_checks(Json const& answer) {
    Json accept = Json::array();
    for (Json const& problem : answer["problems"]) {
      const std::string message = problem["message"];
      constexpr std::string_view begin = "check '";
      if (!message.starts_with(begin) || !problem.contains("hint")) return Json::array();
      accept.push_back({{"check", message.substr(begin.size(), message.find('\'', begin.size()) - begin.size())},
                        {"reason", "virtual participant"}});
    }
    return accept;
  }

  static Error refused(Json const& answer, std::string_view name, Instant at) {
    Json const& first = answer["problems"][0];
    return {code_named(first.value("code", "")).value_or(Code::failure),
            fmt::format("'{}' of {}: {}", name, to_string(at), first.value("message", "")),
            {},
            first.value("hint", "")};
  }

  AskService const& ask_;
  std::int64_t keys_ = 0;
};

}  // namespace

std::vector<server::Opening::User> virtual_staff(protocol::Protocol const& protocol) {
  std::vector<server::Opening::User> staff;
  const auto add = [&](conduct::Role role, std::string const& site, bool second) {
    const std::string user = user_of(role, site, second);
    staff.push_back(
        {user,
         fmt::format("Virtual {}{}{}", conduct::word(role), site.empty() ? "" : " at " + site, second ? ", second" : ""),
         sha256(secret_of(user)),
         {{role, site}}});
  };
  using enum conduct::Role;
  for (const conduct::Role role : {administrator, data_manager, unblinded_statistician})
    for (const bool second : {false, true}) add(role, "", second);
  for (const conduct::Role role : {monitor, medical_monitor, blinded_statistician, committee}) add(role, "", false);
  for (protocol::Site const& site : protocol.sites) {
    for (const conduct::Role role : {coordinator, investigator, laboratory, preparer}) add(role, site.id, false);
    add(preparer, site.id, true);
  }
  return staff;
}

Expected<Carried> carry(std::vector<simulate::ScriptedAct> const& script, AskService const& ask) {
  Carrier carrier(ask);
  Carried carried;
  for (simulate::ScriptedAct const& act : script)
    if (const auto done = carrier.act(act, carried); !done) return tl::unexpected(done.error());
  return carried;
}

Expected<Finished> finish(Instant at, AskService const& ask) {
  Carrier carrier(ask);
  using enum conduct::Role;
  const auto both = [&](conduct::Role role, std::string_view name) -> Expected<void> {
    const auto proposed = carrier.done(role, "", false, at, name);
    if (!proposed) return tl::unexpected(proposed.error());
    const auto approved =
        carrier.done(role, "", true, at, "approve", {{"proposal", (*proposed)["events"][0]["data"]["proposal"]}});
    if (!approved) return tl::unexpected(approved.error());
    return {};
  };
  const auto snapshot = carrier.done(data_manager, "", false, at, "snapshot");
  if (!snapshot) return tl::unexpected(snapshot.error());
  const auto status = carrier.question(data_manager, "", false, at, true, "status", Json::object());
  if (!status) return tl::unexpected(status.error());
  for (const conduct::Role role : {data_manager, blinded_statistician}) {
    const auto signature = carrier.done(role, "", false, at, "sign",
                                        {{"meaning", "lock"},
                                         {"revision", (*status)["shown"]["data_revision"]},
                                         {"secret", secret_of(user_of(role, "", false))}});
    if (!signature) return tl::unexpected(signature.error());
  }
  if (const auto locked = both(data_manager, "lock"); !locked) return tl::unexpected(locked.error());
  if (const auto told = both(unblinded_statistician, "unblind"); !told) return tl::unexpected(told.error());
  const auto extract = carrier.done(data_manager, "", false, at, "extract");
  if (!extract) return tl::unexpected(extract.error());
  return Finished{(*extract)["files"]["data.csv"], (*extract)["files"]["protocol.toml"]};
}

}  // namespace equipoise::cli
