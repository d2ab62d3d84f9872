// equipoise trial: one trial on a disk, from its commitment to its reveal. Each word is a question to the conduct service.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>

#include "equipoise/cli/child.h"
#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/trial.h"
#include "equipoise/cli/version.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/json.h"
#include "equipoise/core/record.h"
#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/protocol/toml.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/vault/process.h"

namespace equipoise::cli {
namespace {

using Json = nlohmann::ordered_json;
using Asked = std::shared_ptr<Asker>;

std::atomic<bool> stop_asked{false};
void on_signal(int) { stop_asked = true; }

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

std::string software() { return fmt::format("equipoise {}", version); }

// ---- Making a trial -----------------------------------------------------------------------------------------------------------

struct NewUser {
  std::string id{}, full_name{};
  std::vector<conduct::Grant> grants{};
};

/// Users of a TOML file: [[user]] id = "anna", name = "Dr Anna Li", roles = [{ role = "investigator", site = "s1" }].
std::vector<NewUser> read_users(Node const& document, Problems& problems) {
  std::vector<NewUser> users;
  Section root(document, "the users", problems);
  for (Section& row : root.tables("user", "user")) {
    NewUser user{row.id("id", true).value_or(""), row.need_text("name").value_or("")};
    row.rename(fmt::format("user '{}'", user.id));
    row.need("roles");
    for (Section& grant : row.tables("roles", "role of " + row.name())) {
      const auto word = grant.need_text("role");
      const auto role = word ? conduct::to_role(*word) : std::nullopt;
      const std::string site = grant.text("site").value_or("");
      if (word && !role) grant.report_at("role", Code::unknown_keyword, "there is no role '{}'", *word).hint = "roles are " + one_of(conduct::role_words(), "and");
      if (role && conduct::works_at_site(*role) == site.empty())
        grant.report_at("role", Code::inconsistent, "a {} {}", *word, site.empty() ? "works at a site: say at which" : "works for the whole trial");
      grant.finish();
      if (role) user.grants.push_back({*role, site});
    }
    row.finish();
    users.push_back(std::move(user));
  }
  root.finish();
  return users;
}

struct Init {
  std::string protocol, folder, users, secrets, environment = "live", escrow, list, list_key, witness, vault_key;
};

void init(Init const& asked, Console& console) {
  Problems problems;
  server::Making making;
  making.opening.file = asked.protocol, making.opening.environment = asked.environment, making.escrow = asked.escrow;
  making.witness = asked.witness;
  auto protocol = read_file(asked.protocol);
  if (!protocol) problems.push_back(protocol.error());
  else making.opening.protocol = std::move(*protocol);
  if (!asked.list.empty()) {
    auto list = sealed_list(asked.list, asked.list_key);
    if (!list) problems.push_back(list.error());
    else making.list = std::move(*list);
  }
  const auto lock = vault_lock(asked.vault_key);
  if (!lock) problems.push_back(lock.error());
  std::vector<NewUser> users;
  const auto file = read_file(asked.users);
  if (!file) {
    problems.push_back(file.error());
  } else if (const auto document = protocol::read_toml(*file, asked.users); !document) {
    problems.insert(problems.end(), document.error().begin(), document.error().end());
  } else {
    users = read_users(*document, problems);
  }
  if (!problems.empty()) return console.fail(problems);
  SystemChance chance;
  std::vector<std::pair<std::filesystem::path, std::string>> secrets;
  for (NewUser& user : users) {
    const std::string secret = chance.name() + chance.name();
    secrets.emplace_back(std::filesystem::path(asked.secrets) / (user.id + ".secret"), secret + "\n");
    making.opening.users.push_back({user.id, user.full_name, sha256(secret), std::move(user.grants)});
  }
  std::error_code trouble;
  if (std::filesystem::exists(asked.secrets, trouble))
    return console.fail(Error{Code::refused, fmt::format("there is something at '{}' already", asked.secrets), {}, "secrets go into a new folder"});
  const auto commitment = server::make_trial({asked.folder}, making, *lock, SystemClock(), chance, software());
  if (!commitment) return console.fail(commitment.error());
  if (const auto written = write_whole(secrets); !written) return console.fail(written.error());
  std::filesystem::permissions(asked.secrets, std::filesystem::perms::owner_all, trouble);
  for (auto const& [path, bytes] : secrets)
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, trouble);
  console.answer(Json{{"folder", asked.folder}, {"commitment", Json::parse(encoded(*commitment))}}.dump());
  std::string text = fmt::format("Trial '{}' ({}), protocol {}.\n{}.\n\n", commitment->trial, commitment->environment, commitment->protocol, commitment->rule);
  text += fmt::format("Commitment, to be signed and registered before the first participant:\n  algorithm  {}\n  seed       {}\n", commitment->algorithm,
                      commitment->seed);
  if (!commitment->root.empty()) text += fmt::format("  list       {} ({} places)\n", commitment->root, commitment->leaves);
  text += fmt::format("  escrow     {}\n", commitment->escrow.empty() ? "none: if the vault is lost, so are the arms" : commitment->escrow);
  text += fmt::format("\nSecrets of {} users are in '{}': give each person the own one, and delete the folder.\n", users.size(), asked.secrets);
  console.say(text);
}

// ---- Processes ------------------------------------------------------------------------------------------------------------------

struct Serving {
  std::string folder, vault_key;
  int ready = -1;
};

void serve_vault(Serving const& asked, Console& console) {
  const auto lock = vault_lock(asked.vault_key);
  if (!lock) return console.fail(lock.error());
  stop_on_signals();
  SystemChance chance;
  const auto done = server::run_vault({asked.folder}, *lock, SystemClock(), chance, stop_asked, [&] { say_ready(asked.ready); });
  if (!done) console.fail(done.error());
}

void serve(Serving const& asked, Console& console) {
  const server::Folder folder{asked.folder};
  stop_on_signals();
  std::optional<Child> vault;
  if (!vault::Client(folder.vault_socket(), std::chrono::seconds(2)).status()) {
    std::vector<std::string> words{"--quiet", "trial", "vault", asked.folder};
    if (!asked.vault_key.empty()) words.insert(words.end(), {"--vault-key", asked.vault_key});
    auto started = Child::start(std::move(words), fmt::format("the vault of '{}'", asked.folder));
    if (!started) return console.fail(started.error());
    vault.emplace(std::move(*started));
  }
  SystemChance chance;
  const auto done = server::run_service(folder, SystemClock(), chance, software(), stop_asked, [&](server::Service const& service) {
    conduct::State const& state = service.state();
    console.say(fmt::format("Trial '{}' ({}) is open: {} participants, {} randomised, {} events. Stop with Ctrl-C.\n", state.opened->trial,
                            state.opened->environment, state.participants.size(), state.allocations.size(), state.last));
    if (state.reconciling)
      console.say("This copy of the log is behind its witness: nothing is done until it is reconciled (trial do FOLDER reconcile).\n");
    say_ready(asked.ready);
  });
  if (!done) console.fail(done.error());
}

// ---- Questions ------------------------------------------------------------------------------------------------------------------

Expected<Json> json_data(std::string const& text) {
  std::string bytes = text;
  if (!text.empty() && text.front() == '@') {
    auto file = read_file(text.substr(1), std::size_t(16) << 20);
    if (!file) return tl::unexpected(file.error());
    bytes = std::move(*file);
  }
  const Json data = bytes.empty() ? Json::object() : Json::parse(bytes, nullptr, false);
  if (!data.is_object())
    return tl::unexpected(Error{Code::syntax, "the data of a question are a JSON object", {}, "--data '{\"participant\":\"s1-001\"}', or --data @FILE"});
  return data;
}

CLI::App* add_question(CLI::App& trial, Asked const& asker, std::string const& name, std::string const& help) {
  CLI::App* command = trial.add_subcommand(name, help);
  command->add_option("folder", asker->folder, "Folder of the trial")->required();
  command->add_option("--user", asker->user, "Who asks")->required()->envname("EQUIPOISE_USER");
  command->add_option("--role", asker->role, "In which role")->required()->envname("EQUIPOISE_ROLE");
  command->add_option("--site", asker->site, "At which site, for roles that work at one")->envname("EQUIPOISE_SITE");
  command->add_option("--secret-file", asker->secret_file, "File with the user's secret; without it EQUIPOISE_SECRET");
  command->add_option("--reason", asker->reason, "Why, where a reason is asked for");
  command->add_option("--key", asker->key, "Key of this command: sent again with the same one, it is not done again");
  command->add_option("--vault-key", asker->vault_key, "Key file of the vault, when the service has to be started")->envname("EQUIPOISE_VAULT_KEY");
  return command;
}

/// What has to be read back before somebody is randomised, and then the randomisation.
void randomise(Asker const& asker, std::string const& participant, std::string const& confirm, Console& console) {
  if (confirm.empty()) {
    ask(asker, true, "read_back", {{"participant", participant}}, console);
    if (console.status() == 0)
      console.say(fmt::format("Read this back to somebody who knows the participant. If it is right, randomise with\n"
                              "  equipoise trial randomise {} {} --confirm WORD\nand the word 'confirm' above.\n",
                              asker.folder, participant));
    return;
  }
  ask(asker, false, "randomise", {{"participant", participant}, {"confirm", confirm}}, console);
}

/// The rows of the view `audit` as CSV: a column for each member, in the order of the service's answer.
void audit_table(Asker const& asker, Json filter, std::string const& output, Console& console) {
  const auto answer = answered(asker, true, "audit", std::move(filter), console);
  if (!answer) return;
  constexpr char const* columns[] = {"event", "at", "local", "user", "role", "site", "what", "participant", "visit", "form", "item", "before", "after", "reason"};
  Json const& rows = answer->at("shown");
  data::DatasetBuilder table(rows.size());
  for (char const* name : columns) {
    data::TypedColumn column{.name = name, .kind = data::Kind::text};
    for (Json const& row : rows) {
      const auto cell = row.find(name);
      std::string text = cell == row.end() ? "" : cell->is_string() ? cell->get<std::string>() : cell->dump();
      // People open this in spreadsheets, which would take a text somebody typed for a formula.
      if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos && cell->is_string()) text.insert(0, 1, '\'');
      column.texts.push_back(std::move(text));
    }
    table.add(std::move(column));
  }
  const auto made = table.build();
  if (!made) return console.fail(made.error());
  if (const auto written = write_whole({{output, data::write_csv(*made)}}); !written) return console.fail(written.error());
  console.answer(Json{{"output", output}, {"rows", rows.size()}}.dump());
  console.say(fmt::format("{}: {} rows\n", output, rows.size()));
}

void add_serving(CLI::App& trial, Console& console) {
  auto serving = std::make_shared<Serving>();
  const auto options = [serving](CLI::App* command) {
    command->add_option("folder", serving->folder, "Folder of the trial")->required();
    command->add_option("--vault-key", serving->vault_key, "Key file of the vault; without it the passphrase in EQUIPOISE_VAULT_PASSPHRASE")
        ->envname("EQUIPOISE_VAULT_KEY");
    command->add_option("--ready", serving->ready)->group("");
    return command;
  };
  options(trial.add_subcommand("open", "Serve the trial until Ctrl-C: the vault and the conduct service"))
      ->callback([serving, &console] { serve(*serving, console); });
  options(trial.add_subcommand("vault", "Serve the vault alone"))->callback([serving, &console] { serve_vault(*serving, console); });
}

void add_questions(CLI::App& trial, Console& console) {
  struct Words {
    std::string name, data, participant, confirm, output, arms, path, revision;
  };
  const auto with = [&](std::string const& name, std::string const& help) {
    auto asker = std::make_shared<Asker>();
    return std::tuple(add_question(trial, asker, name, help), asker, std::make_shared<Words>());
  };
  {
    auto [command, asker, words] = with("do", "Any command, with its data as JSON");
    command->add_option("command", words->name, "Name of the command")->required();
    command->add_option("--data", words->data, "JSON object, or @FILE");
    command->callback([asker = asker, words = words, &console] {
      auto data = json_data(words->data);
      if (!data) return console.fail(data.error());
      ask(*asker, false, words->name, std::move(*data), console);
    });
  }
  {
    auto [command, asker, words] = with("see", "Any view, with its data as JSON");
    command->add_option("view", words->name, "Name of the view")->required();
    command->add_option("--data", words->data, "JSON object, or @FILE");
    command->callback([asker = asker, words = words, &console] {
      auto data = json_data(words->data);
      if (!data) return console.fail(data.error());
      ask(*asker, true, words->name, std::move(*data), console);
    });
  }
  // Words for what is done every day: each one command of the service with its data.
  struct Word {
    char const *word, *help, *command;
    bool looks;
  };
  constexpr Word plain[] = {{"status", "How the trial stands", "status", true},
                            {"enrol", "A new participant at the site", "enrol", false},
                            {"lock", "Lock the data: a second person approves", "lock", false},
                            {"unblind", "Tell all arms, after the lock: a second person approves", "unblind", false},
                            {"doctor", "Look at the log, the store and the witness", "doctor", false}};
  for (Word const& word : plain) {
    auto [command, asker, words] = with(word.word, word.help);
    command->callback([asker = asker, word, &console] { ask(*asker, word.looks, word.command, Json::object(), console); });
  }
  constexpr Word with_data[] = {{"record", "Save a form", "record", false}, {"query", "Ask about a value", "open_query", false}};
  for (Word const& word : with_data) {
    auto [command, asker, words] = with(word.word, word.help);
    command->add_option("--data", words->data, "JSON object, or @FILE")->required();
    command->callback([asker = asker, words = words, word, &console] {
      auto data = json_data(words->data);
      if (!data) return console.fail(data.error());
      ask(*asker, false, word.command, std::move(*data), console);
    });
  }
  {
    auto [command, asker, words] = with("ae", "Record an adverse event");
    command->add_option("participant", words->participant)->required();
    command->add_option("--data", words->data, "Its items as a JSON object: {\"term\":\"fever\",\"grade\":\"1\"}")->required();
    command->callback([asker = asker, words = words, &console] {
      auto items = json_data(words->data);
      if (!items) return console.fail(items.error());
      Json values = Json::array();
      for (auto const& [item, value] : items->items()) values.push_back({{"item", item}, {"value", value}});
      ask(*asker, false, "record", {{"record", {{"participant", words->participant}, {"form", "adverse_event"}}}, {"revision", 0}, {"values", values}},
          console);
    });
  }
  {
    auto [command, asker, words] = with("randomise", "Read back, and with --confirm randomise");
    command->add_option("participant", words->participant)->required();
    command->add_option("--confirm", words->confirm, "The word that the read-back gave");
    command->callback([asker = asker, words = words, &console] { randomise(*asker, words->participant, words->confirm, console); });
  }
  {
    auto [command, asker, words] = with("extract", "The data as this role may have them, as files that 'analyse' and 'report' read");
    command->add_option("--output", words->output, "Folder for data.csv and protocol.toml")->required();
    command->add_option("--arms", words->arms, "none, dummy (a dry run of the analysis) or real")->check(CLI::IsMember({"none", "dummy", "real"}));
    command->callback([asker = asker, words = words, &console] {
      Json data = Json::object();
      if (!words->arms.empty()) data["arms"] = words->arms;
      ask(*asker, false, "extract", std::move(data), console, words->output);
    });
  }
  {
    auto [command, asker, words] = with("audit", "The audit trail as a table for people: CSV with labels, as this role may read it");
    auto filter = std::make_shared<std::vector<std::pair<std::string, std::string>>>();
    for (std::string const name : {"participant", "by", "from", "to", "language"})
      command->add_option_function<std::string>("--" + name, [filter, name](std::string const& value) { filter->emplace_back(name, value); },
                                                name == "language" ? "en or zh" : name == "by" ? "User" : name == "participant" ? "Only of this one" : "Date");
    command->add_option("--output", words->output, "New CSV file")->required();
    command->callback([asker = asker, words = words, filter, &console] {
      Json data = Json::object();
      for (auto const& [name, value] : *filter) data[name] = value;
      audit_table(*asker, std::move(data), words->output, console);
    });
  }
  {
    auto [command, asker, words] = with("backup", "Copy the log while the trial runs");
    command->add_option("file", words->path, "New file")->required();
    command->callback([asker = asker, words = words, &console] {
      ask(*asker, false, "backup", {{"path", std::filesystem::absolute(words->path).string()}}, console);
    });
  }
}

}  // namespace

void add_trial(CLI::App& app, Console& console) {
  CLI::App* trial = app.add_subcommand("trial", "Conduct a trial: allocate, blind, capture and prove");
  trial->require_subcommand(1);
  auto making = std::make_shared<Init>();
  CLI::App* command = trial->add_subcommand("init", "Make a trial: seed, commitment, first users");
  command->add_option("protocol", making->protocol, "Protocol file (TOML)")->required();
  command->add_option("folder", making->folder, "New folder of the trial")->required();
  command->add_option("--users", making->users, "File of the first users (TOML)")->required();
  command->add_option("--secrets", making->secrets, "New folder for their secrets")->required();
  command->add_option("--environment", making->environment, "live, test or simulated")->capture_default_str()->check(CLI::IsMember({"live", "test", "simulated"}));
  command->add_option("--vault-key", making->vault_key, "Key file of the vault (trial vault-key); without it the passphrase in EQUIPOISE_VAULT_PASSPHRASE")
      ->envname("EQUIPOISE_VAULT_KEY");
  command->add_option("--escrow", making->escrow, "Public key to which the seed is sealed (trial escrow-key)");
  command->add_option("--list", making->list, "A sealed list of arms (trial seal-list), in place of the seed's");
  command->add_option("--list-key", making->list_key, "Key file with which the list was sealed")->needs("--list");
  command->add_option("--witness", making->witness, "File for the witness, best on another disk than the trial");
  command->callback([making, &console] { init(*making, console); });
  add_serving(*trial, console);
  add_trial_keys(*trial, console);
  add_trial_lists(*trial, console);
  add_questions(*trial, console);

  auto paths = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* restore = trial->add_subcommand("restore", "Put a backup in the place of a lost log");
  restore->add_option("backup", paths->first, "The copy")->required();
  restore->add_option("folder", paths->second, "Folder of the trial, whose log is gone")->required();
  restore->callback([paths, &console] {
    const auto done = store::restore(paths->first, server::Folder{paths->second}.database());
    if (!done) return console.fail(done.error());
    console.answer(Json{{"restored", paths->second}}.dump());
    console.say("Restored. When it is opened, it is held against its witness; a copy that is behind starts to be reconciled.\n");
  });
}

}  // namespace equipoise::cli
