// equipoise trial vault-key, escrow-key, seal-list: what is made before the trial, by its keepers.

#include "equipoise/cli/files.h"
#include "equipoise/cli/trial.h"
#include "equipoise/core/json.h"
#include "equipoise/protocol/load.h"
#include "equipoise/vault/escrow.h"

namespace equipoise::cli {

using Json = nlohmann::ordered_json;

void add_trial_keys(CLI::App& trial, Console& console) {
  auto path = std::make_shared<std::string>();
  CLI::App* key = trial.add_subcommand("vault-key", "Make a key file for a vault");
  key->add_option("file", *path, "New file; keep a copy where no backup of the trial is")->required();
  key->callback([path, &console] {
    SystemChance chance;
    const Key32 bytes = chance.key();
    if (const auto written = vault::write_new(*path, as_text(bytes)); !written) return console.fail(written.error());
    console.answer(Json{{"file", *path}}.dump());
    console.say(fmt::format("{}: whoever has it and the vault's files has the arms.\n", *path));
  });
  CLI::App* escrow = trial.add_subcommand("escrow-key", "Make a key pair for the keeper of the escrow");
  escrow->add_option("file", *path, "New file for the secret key")->required();
  escrow->callback([path, &console] {
    SystemChance chance;
    const vault::EscrowKeys keys = vault::make_escrow_keys(chance);
    if (const auto written = vault::write_new(*path, hex(keys.secret_key.bytes()) + "\n"); !written) return console.fail(written.error());
    console.answer(Json{{"public_key", keys.public_key}}.dump());
    console.say(fmt::format("public key {}\nThe secret key is in '{}'. Give 'trial init --escrow' the public one.\n", keys.public_key, *path));
  });
}

Expected<vault::ImportedList> sealed_list(std::string const& path, std::string const& key_file) {
  const auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->starts_with("stream,"))
    return tl::unexpected(Error{Code::refused, fmt::format("the list '{}' is not sealed: whoever reads the file reads the arms", path), {},
                                "its maker seals it for this trial and environment: equipoise trial seal-list"});
  if (key_file.empty())
    return tl::unexpected(Error{Code::usage, "a sealed list needs its key", {}, "--list-key FILE"});
  const auto lock = vault::Lock::key_file(key_file);
  if (!lock) return tl::unexpected(lock.error());
  return vault::open_list(*bytes, *lock, path);
}

namespace {

struct Sealing {
  std::string list, protocol, environment, key, output;
};

void seal(Sealing const& asked, Console& console) {
  Problems problems;
  const auto bytes = read_file(asked.list), text = read_file(asked.protocol);
  const auto lock = vault::Lock::key_file(asked.key);
  if (!bytes) problems.push_back(bytes.error());
  if (!lock) problems.push_back(lock.error());
  if (!text) problems.push_back(text.error());
  if (!problems.empty()) return console.fail(problems);
  const auto protocol = protocol::load(*text, asked.protocol);
  if (!protocol) return console.fail(protocol.error());
  auto list = vault::parse_list(*bytes, asked.list, protocol->trial.id, asked.environment);
  if (!list) return console.fail(list.error());
  const auto rule = allocation::Rule::parse(*protocol, problems);
  if (rule) problems = vault::check_list(*list, *rule);
  if (!problems.empty()) return console.fail(problems);
  SystemChance chance;
  const auto sealed = vault::seal_list(*list, *lock, chance);
  if (!sealed) return console.fail(sealed.error());
  if (const auto written = vault::write_new(asked.output, *sealed); !written) return console.fail(written.error());
  std::size_t places = 0;
  for (auto const& stream : list->streams) places += stream.arms.size();
  console.answer(Json{{"file", asked.output}, {"trial", list->trial}, {"environment", list->environment}, {"streams", list->streams.size()}, {"places", places}}.dump());
  console.say(fmt::format("{}: {} places in {} streams, sealed for trial '{}' ({}). Delete '{}', and keep the key apart.\n", asked.output, places,
                          list->streams.size(), list->trial, list->environment, asked.list));
}

}  // namespace

void add_trial_lists(CLI::App& trial, Console& console) {
  auto asked = std::make_shared<Sealing>();
  CLI::App* command = trial.add_subcommand("seal-list", "Seal a list of arms that was made elsewhere, for one trial and environment");
  command->add_option("list", asked->list, "CSV of stream,position,arm")->required();
  command->add_option("output", asked->output, "New file")->required();
  command->add_option("--protocol", asked->protocol, "Protocol file (TOML), against whose strata and arms the list is checked")->required();
  command->add_option("--environment", asked->environment, "live, test or simulated: it serves no other")
      ->required()
      ->check(CLI::IsMember({"live", "test", "simulated"}));
  command->add_option("--key", asked->key, "Key file (trial vault-key) for the one who makes the trial")->required();
  command->callback([asked, &console] { seal(*asked, console); });
}

}  // namespace equipoise::cli
