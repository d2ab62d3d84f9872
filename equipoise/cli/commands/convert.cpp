#include <filesystem>
#include <map>
#include <memory>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/data/formats.h"

namespace equipoise::cli {
namespace {

struct Arguments {
  std::string from_file, to_file, from, to, member, encoding = "utf-8";
  bool allow_loss = false, force = false;
};

const std::map<std::string, data::Encoding> encodings{
    {"utf-8", data::Encoding::utf8}, {"windows-1252", data::Encoding::windows_1252}, {"latin1", data::Encoding::latin1}};

/// The format that a person names, or that the name of the file says.
Expected<data::FormatCard> format(std::string const& keyword, std::string const& file, std::string_view option) {
  std::vector<std::string> words, endings;
  for (data::FormatCard const& card : data::Formats::cards()) words.emplace_back(card.keyword), endings.emplace_back(card.ending);
  if (!keyword.empty()) {
    if (const auto card = data::Formats::card(keyword)) return *card;
    return tl::unexpected(Error{Code::usage, fmt::format("{} takes {}, not '{}'", option, one_of(words), keyword), {}, {}});
  }
  if (const auto card = data::Formats::card_of_file(file)) return *card;
  return tl::unexpected(Error{Code::usage,
                              fmt::format("the name '{}' does not say its format: names end in {}", file, one_of(endings)),
                              {},
                              fmt::format("or name the format: {} {}", option, one_of(words))});
}

Problems keep_member(std::vector<data::ExchangeTable>& tables, std::string const& member, std::string const& file) {
  Problems problems;
  if (member.empty()) return problems;
  std::vector<std::string> names;
  for (data::ExchangeTable const& table : tables) names.push_back(table.name);
  std::erase_if(tables, [&](data::ExchangeTable const& table) { return table.name != member; });
  if (!tables.empty()) return problems;
  Error& error = add_problem(problems, {.file = file}, Code::usage, "there is no data set '{}'", member);
  const auto near = nearest(member, names);
  error.hint = near ? fmt::format("did you mean '{}'?", *near) : "data sets: " + join(names, ", ");
  return problems;
}

std::string losses_json(std::string const& file, std::vector<data::ExchangeTable> const& tables, data::Losses const& losses) {
  std::string out = fmt::format("{{\"written\":{},\"data_sets\":[", json_string(file));
  for (std::size_t i = 0; i < tables.size(); ++i)
    out += fmt::format("{}{{\"name\":{},\"rows\":{},\"columns\":{}}}", i > 0 ? "," : "", json_string(tables[i].name),
                       tables[i].rows, tables[i].columns.size());
  out += "],\"losses\":[";
  for (std::size_t i = 0; i < losses.size(); ++i)
    out += fmt::format("{}{{\"changes\":{},\"column\":{},\"what\":{},\"cells\":{},\"first_row\":{}}}", i > 0 ? "," : "",
                       losses[i].changes, json_string(losses[i].column), json_string(losses[i].what), losses[i].cells,
                       losses[i].first_row);
  return out + "]}";
}

void run(Arguments const& arguments, Console& console) {
  const auto from = format(arguments.from, arguments.from_file, "--from");
  const auto to = format(arguments.to, arguments.to_file, "--to");
  Problems problems;
  if (!from) problems.push_back(from.error());
  if (!to) problems.push_back(to.error());
  const auto encoding = encodings.find(arguments.encoding);
  if (encoding == encodings.end())
    add_problem(problems, {}, Code::usage, "--encoding takes utf-8, windows-1252 or latin1, not '{}'", arguments.encoding);
  if (!problems.empty()) return console.fail(problems);

  const std::string sidecar_file = to->sidecar.empty() ? "" : arguments.to_file + std::string(to->sidecar);
  for (std::string const& file : {arguments.to_file, sidecar_file})
    if (!arguments.force && !file.empty() && std::filesystem::is_regular_file(file))
      add_problem(problems, {}, Code::io, "'{}' exists already", file).hint = "give another name, or --force to replace it";
  if (!problems.empty()) return console.fail(problems);

  auto bytes = read_file(arguments.from_file);
  if (!bytes) return console.fail(bytes.error());
  data::FormatInput input{std::move(*bytes), arguments.from_file, {}, encoding->second};
  if (const std::string beside = arguments.from_file + std::string(from->sidecar);
      !from->sidecar.empty() && std::filesystem::is_regular_file(beside)) {
    auto sidecar = read_file(beside);
    if (!sidecar) return console.fail(sidecar.error());
    input.sidecar = std::move(*sidecar);
  }
  auto tables = data::Formats::read_tables(std::move(input), from->keyword);
  if (!tables) return console.fail(tables.error());
  if (Problems none = keep_member(*tables, arguments.member, arguments.from_file); !none.empty()) return console.fail(none);
  auto written = data::Formats::write(*tables, to->keyword);
  if (!written) return console.fail(written.error());

  data::Losses losses;
  for (data::ExchangeTable const& table : *tables) losses.insert(losses.end(), table.losses.begin(), table.losses.end());
  losses.insert(losses.end(), written->losses.begin(), written->losses.end());
  Problems refused, told;
  for (data::Loss const& loss : losses)
    add_problem(loss.changes && !arguments.allow_loss ? refused : told, {}, Code::out_of_range, "{}", sentence(loss));
  if (!refused.empty()) {
    add_problem(refused, {}, Code::out_of_range, "{} ({}) cannot hold '{}' as it is, and nothing was written", to->title,
                to->ending, arguments.from_file)
        .hint = "choose another format, or accept the changes above with --allow-loss";
    return console.fail(refused);
  }
  std::vector<std::pair<std::filesystem::path, std::string>> files;
  files.emplace_back(arguments.to_file, std::move(written->bytes));
  if (written->sidecar) files.emplace_back(sidecar_file, std::move(*written->sidecar));
  if (const auto done = write_whole(files); !done) return console.fail(done.error());

  console.caution(told);
  console.answer(losses_json(arguments.to_file, *tables, losses));
  std::string text;
  for (data::ExchangeTable const& table : *tables)
    text += fmt::format("{}: {} rows, {} columns\n", table.name, table.rows, table.columns.size());
  for (auto const& [file, unused] : files) text += file.string() + "\n";
  console.say(text);
}

}  // namespace

void add_convert(CLI::App& app, Console& console) {
  std::vector<std::string> words;
  std::string formats = "Formats:";
  for (data::FormatCard const& card : data::Formats::cards()) {
    words.emplace_back(card.keyword);
    formats += fmt::format("\n  {:<8}{}", card.keyword, card.title);
  }
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("convert", "Write a data file in another format, and say what that format could not hold");
  command->add_option("from", arguments->from_file, "Data file to read")->required();
  command->add_option("to", arguments->to_file, "Data file to write")->required();
  command->add_option("--from", arguments->from, "Format to read, if the name does not say it: " + one_of(words));
  command->add_option("--to", arguments->to, "Format to write, if the name does not say it");
  command->add_option("--member", arguments->member, "Of a file with several data sets, take this one");
  command->add_option("--encoding", arguments->encoding, "Of texts in SAS transport files: utf-8, windows-1252 or latin1")
      ->capture_default_str();
  command->add_flag("--allow-loss", arguments->allow_loss, "Write although cells, names or labels must be changed to fit");
  command->add_flag("--force", arguments->force, "Replace files that exist");
  command->footer(formats);
  command->callback([arguments, &console] { run(*arguments, console); });
}

}  // namespace equipoise::cli
