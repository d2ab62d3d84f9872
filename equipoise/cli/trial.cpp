#include "equipoise/cli/trial.h"

#include <cstdlib>

#include "equipoise/cli/child.h"
#include "equipoise/cli/files.h"
#include "equipoise/core/lines.h"
#include "equipoise/core/text.h"

namespace equipoise::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::chrono::minutes patience{10};

std::string random_key() { return SystemChance().name(); }

/// The answer in words: what happened, or what is to be seen.
std::string words_of(Json const& answer) {
  std::string text;
  if (answer.contains("events"))
    if (answer["events"].is_array())
      for (Json const& event : answer["events"])
        text += fmt::format("{:>6}  {}  {}\n", event.at("sequence").dump(), event.at("event").get<std::string>(), event.at("data").dump());
  if (answer.contains("shown")) text += answer["shown"].dump(2) + "\n";
  for (std::string_view key : {"digest", "document", "backup"})
    if (answer.contains(key)) text += fmt::format("{} {}\n", key, answer[std::string(key)].get<std::string>());
  return text;
}

}  // namespace

Expected<vault::Lock> vault_lock(std::string const& key_file) {
  if (!key_file.empty()) return vault::Lock::key_file(key_file);
  char const* words = std::getenv("EQUIPOISE_VAULT_PASSPHRASE");
  if (!words || !*words)
    return tl::unexpected(Error{Code::usage, "the vault needs its key", {},
                                "give --vault-key FILE (32 bytes, readable by its owner alone), or the passphrase in EQUIPOISE_VAULT_PASSPHRASE"});
  return vault::Lock::passphrase(words);
}

Expected<std::string> ask_service(Asker const& asker, std::string const& question) {
  const server::Folder folder{asker.folder};
  std::error_code problem;
  if (!std::filesystem::exists(folder.database(), problem))
    return tl::unexpected(Error{Code::io, fmt::format("there is no trial at '{}'", asker.folder), {}, "make one with 'equipoise trial init'"});
  LineClient client(folder.socket());
  std::optional<Child> own;
  if (!std::filesystem::exists(folder.socket(), problem) || !LineClient(folder.socket()).ask("{}", std::chrono::seconds(5))) {
    std::vector<std::string> words{"--quiet", "trial", "open", asker.folder};
    if (!asker.vault_key.empty()) words.insert(words.end(), {"--vault-key", asker.vault_key});
    auto started = Child::start(std::move(words), fmt::format("the service of '{}'", asker.folder));
    if (!started) return tl::unexpected(started.error());
    own.emplace(std::move(*started));
  }
  return client.ask(question, patience);
}

std::optional<Json> answered(Asker const& asker, bool looks, std::string const& name, Json data, Console& console) {
  const auto failed = [&](Error const& error) {
    console.fail(error);
    return std::nullopt;
  };
  std::string secret;
  if (!asker.secret_file.empty()) {
    const auto file = read_file(asker.secret_file, 4096);
    if (!file) return failed(file.error());
    secret = std::string(trimmed(*file));
  } else if (char const* given = std::getenv("EQUIPOISE_SECRET")) {
    secret = given;
  } else {
    return failed(Error{Code::usage, "a question needs the secret of its user", {}, "give --secret-file FILE, or EQUIPOISE_SECRET"});
  }
  Json question{{"user", asker.user}, {"secret", secret}, {"role", asker.role}};
  if (!asker.site.empty()) question["site"] = asker.site;
  if (!asker.reason.empty()) question["reason"] = asker.reason;
  if (!looks) question["key"] = asker.key.empty() ? random_key() : asker.key;
  question[looks ? "view" : "command"] = name;
  question["data"] = std::move(data);
  const auto line = ask_service(asker, question.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!line) return failed(line.error());
  Json answer = Json::parse(*line, nullptr, false);
  if (answer.is_discarded()) return failed(Error{Code::failure, "the service answered something that is no JSON", {}, ""});
  if (!answer.value("ok", false)) {
    Problems problems;
    for (Json const& one : answer.value("problems", Json::array()))
      problems.push_back({code_named(one.value("code", "")).value_or(Code::failure), one.value("message", ""), {}, one.value("hint", "")});
    console.fail(problems);
    console.set_status(answer.value("status", 1));
    return std::nullopt;
  }
  return answer;
}

void ask(Asker const& asker, bool looks, std::string const& name, Json data, Console& console, std::string const& output) {
  const auto answer_or_not = answered(asker, looks, name, std::move(data), console);
  if (!answer_or_not) return;
  Json const& answer = *answer_or_not;
  if (!output.empty() && answer.contains("files")) {
    std::vector<std::pair<std::filesystem::path, std::string>> files;
    for (auto const& [file, bytes] : answer["files"].items()) files.emplace_back(std::filesystem::path(output) / file, bytes.get<std::string>());
    if (const auto written = write_whole(files); !written) return console.fail(written.error());
    Json rest = answer;
    rest.erase("files"), rest["output"] = output;
    console.answer(rest.dump());
    console.say(fmt::format("{}/protocol.toml and data.csv: 'equipoise report {}/protocol.toml' reads them.\n", output, output));
    return;
  }
  console.answer(answer.dump());
  console.say(words_of(answer));
}

}  // namespace equipoise::cli
