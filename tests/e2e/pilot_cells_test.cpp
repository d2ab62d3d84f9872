// Every cell of the published tables of CDISCPILOT01 on populations, disposition, demography and efficacy, against what the
// report of the committed protocols prints. tests/in_place/pilot_cells.json is the account: for each row of a table it says where
// our tables have that number, or why they do not, and what they print instead. tests/in_place/README.md says how it is read.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

constexpr std::string_view stripped = "(first body row; label stripped)";  // what that file writes for a label it has lost

std::string without(std::string text, std::string_view what) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos;) text.erase(at, what.size());
  return text;
}

std::string with_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

/// The one form in which two cells are compared: no spaces, a plain minus sign, no zero before the point of "<.0001". Digits,
/// decimals, brackets and percent signs stay.
std::string comparable(std::string text) {
  text = with_all(without(std::move(text), " "), "\u2212", "-");
  return text.starts_with("<0.0") ? "<" + text.substr(2) : text;
}

TEST(PilotCells, OnlySpacesAndSignsAreSetAside) {
  EXPECT_EQ(comparable("79 ( 92%)"), comparable("79 (92%)"));
  EXPECT_EQ(comparable("(-2.1;1.1)"), comparable("(\u22122.1; 1.1)"));
  EXPECT_EQ(comparable("<.0001"), comparable("< 0.0001"));
  EXPECT_NE(comparable("0 (  0%)"), comparable("0"));
  EXPECT_NE(comparable("42.6"), comparable("42.65"));
  EXPECT_NE(comparable("0.5934"), comparable("0.593"));
  EXPECT_NE(comparable("12 (5%)"), comparable("1 (25%)"));
}

/// The cells of one line of the published file, from left to right, without the blanks around them.
std::vector<std::string> cells_of(std::string joined) {
  joined = without(std::move(joined), "\"") + " | ";
  std::vector<std::string> cells;
  for (std::size_t from = 0, to; (to = joined.find(" | ", from)) != std::string::npos; from = to + 3) {
    std::string cell = joined.substr(from, to - from);
    cell.erase(0, cell.find_first_not_of(' ') == std::string::npos ? cell.size() : cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
    cells.push_back(std::move(cell));
  }
  return cells;
}

using Published = std::map<std::string, std::map<int, std::vector<std::string>>>;  // table, row, cells

Published published_cells(fs::path const& file) {
  Published tables;
  std::istringstream lines(contents(file));
  std::string line;
  for (std::getline(lines, line); std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::size_t first = line.find(','), second = line.find(',', first + 1);
    if (second == std::string::npos) continue;
    tables[line.substr(0, first)][std::stoi(line.substr(first + 1, second - first - 1))] = cells_of(line.substr(second + 1));
  }
  return tables;
}

/// The tables of a report, asked by the words that a reader sees.
class OurTables {
 public:
  explicit OurTables(json tables) : tables_(std::move(tables)) {}

  /// What stands at "table > group > row > column", or the number of that kind in it at "... > column : statistic"; a failure
  /// unless there is exactly one such cell.
  std::string at(std::string const& place) const {
    std::vector<std::string> words(1);
    std::string statistic;
    const std::size_t colon = place.rfind(" : ");
    if (colon != std::string::npos) statistic = place.substr(colon + 3);
    std::string left = place.substr(0, colon);
    for (std::size_t next; (next = left.find(" > ")) != std::string::npos; left.erase(0, next + 3))
      words.back() = left.substr(0, next), words.emplace_back();
    words.back() = left;
    EXPECT_EQ(words.size(), 4u) << place;
    if (words.size() != 4) return {};
    std::vector<std::string> found;
    for (json const& table : tables_)
      if (table.at("id") == words[0])
        for (json const& grid : table.at("grids")) in_grid(grid, words, statistic, found);
    EXPECT_EQ(found.size(), 1u) << "in our tables: " << place;
    return found.size() == 1 ? found.front() : std::string();
  }

 private:
  static std::string head(json const& cell) {  // without the number of participants below it
    const std::string text = cell.at("text");
    return text.substr(0, text.find("; N = "));
  }
  static std::string text_of(json const& cell, std::string const& statistic) {
    if (statistic.empty()) return cell.at("text");
    std::string text;
    if (cell.contains("values"))
      for (json const& value : cell.at("values"))
        if (value.at("statistic") == statistic) text = value.at("printed");
    return text;
  }
  static void in_grid(json const& grid, std::vector<std::string> const& words, std::string const& statistic,
                      std::vector<std::string>& found) {
    std::map<std::string, int> met;  // a name that two columns have is followed by which of them: "95% interval [2]"
    for (std::size_t c = 0; c < grid.at("columns").size(); ++c) {
      std::string name = head(grid.at("columns").at(c));
      if (const int nth = ++met[name]; nth > 1) name += fmt::format(" [{}]", nth);
      if (name != words[3]) continue;
      if (words[1].empty() && words[2].empty()) found.push_back(text_of(grid.at("columns").at(c), statistic));
      for (json const& group : grid.at("groups")) {
        std::string heading;
        for (json const& row : group) {
          if (row.value("heading", false)) heading = row.at("head").at("text");
          else if (heading == words[1] && row.at("head").at("text") == words[2] && c > 0 && c <= row.at("cells").size())
            found.push_back(text_of(row.at("cells").at(c - 1), statistic));
        }
      }
    }
  }

  json tables_;
};

struct Tally {
  int cells = 0, matched = 0;
  std::map<std::string, int> listed;  ///< by reason
  int of_list() const {
    int n = 0;
    for (auto const& [reason, count] : listed) n += count;
    return n;
  }
};

/// One published table, held against ours row by row.
class Compared {
 public:
  Compared(json const& account, json const& table, OurTables const& ours,
           std::map<int, std::vector<std::string>> const& published)
      : account_(account), table_(table), ours_(ours), published_(published) {}

  Tally tally() {
    std::map<int, json> rows;
    for (json const& row : table_.at("rows")) EXPECT_TRUE(rows.emplace(row.at("row"), row).second) << name() << row.at("row");
    for (auto const& [number, cells] : published_) {
      if (number == 1) continue;  // the title
      if (number == 2) heads(cells);
      else if (const auto row = rows.find(number); row != rows.end()) compare(row->second, cells), rows.erase(row);
      else ADD_FAILURE() << name() << " row " << number << " is not in the account";
    }
    for (auto const& [number, row] : rows) ADD_FAILURE() << name() << " has no row " << number << ": " << row;
    return tally_;
  }

 private:
  std::string name() const { return table_.at("table").get<std::string>(); }
  std::size_t labels() const { return table_.value("labels", 1u); }

  /// Our words with the column's arm in them.
  static std::string filled(std::string text, std::string const& arm) { return with_all(std::move(text), "{arm}", arm); }

  std::string ours(json const& cell, std::string const& arm) const {
    std::string text = cell.value("form", "{}");
    json places = cell.at("from");
    if (places.is_string()) places = json::array({places});
    for (json const& place : places) text = with(std::move(text), "{}", ours_.at(filled(place, arm)));
    return text;
  }

  void heads(std::vector<std::string> const& cells) {
    json const& columns = table_.at("columns");
    ASSERT_EQ(cells.size(), columns.size() + labels()) << name();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      json const& column = columns.at(c);
      const std::string printed = cells[c + labels()], place = fmt::format("{} heading {}", name(), c + 1);
      if (column.contains("why")) {
        EXPECT_EQ(comparable(printed), comparable(column.at("published"))) << place;
        list(column.at("why"), place);
      } else {
        json from = table_.at("heads");
        if (!from.contains("form")) from["form"] = column.at("published").get<std::string>() + "(N={})";
        match(printed, ours(from, column.at("ours")), place);
      }
    }
  }

  void compare(json const& row, std::vector<std::string> const& cells) {
    const std::string place = fmt::format("{} row {}", name(), row.at("row").get<int>());
    std::string label;
    for (std::size_t l = 0; l < labels(); ++l)
      if (!cells[l].empty() && !cells[l].starts_with(stripped)) label += (label.empty() ? "" : " / ") + cells[l];
    EXPECT_EQ(label, row.value("label", "")) << place;
    json const& columns = table_.at("columns");
    ASSERT_EQ(cells.size(), columns.size() + labels()) << place;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string printed = cells[c + labels()], which = fmt::format("{} column {}", place, c + 1);
      const std::string arm = columns.at(c).value("ours", "");
      const std::string key = std::to_string(c + 1);
      const bool own = row.contains("at") && row.at("at").contains(key);
      json cell = own ? row.at("at").at(key) : row;
      if (printed.empty()) {
        EXPECT_FALSE(own) << which << " is empty";
        continue;
      }
      if (cell.contains("why")) {
        list(cell.at("why"), which);
        if (!cell.contains("from") && row.contains("from") && !arm.empty())
          cell["from"] = row.at("from"), cell["form"] = row.value("form", "{}");
        if (!cell.contains("from")) continue;
        const std::string text = ours(cell, arm);
        EXPECT_EQ(text, cell.value("ours", "")) << which << ": what the account says of our tables";
        EXPECT_NE(comparable(text), comparable(printed)) << which << " matches now: take it off the list";
      } else if (cell.contains("from")) {
        match(printed, ours(cell, arm), which);
      } else {
        ADD_FAILURE() << which << " (" << printed << ") is neither found in our tables nor listed";
      }
    }
  }

  void match(std::string const& printed, std::string const& text, std::string const& place) {
    EXPECT_EQ(comparable(printed), comparable(text)) << place;
    ++tally_.cells, ++tally_.matched;
  }
  void list(std::string const& reason, std::string const& place) {
    EXPECT_TRUE(account_.at("reasons").contains(reason)) << place << " names the reason " << reason;
    ++tally_.cells, ++tally_.listed[reason];
  }

  json const &account_, &table_;
  OurTables const& ours_;
  std::map<int, std::vector<std::string>> const& published_;
  Tally tally_;
};

TEST(PilotCells, EveryPublishedCellIsPrintedOrListed) {
  const fs::path file = shared_dir() / "reference/cdisc-pilot-tables-open.csv";
  const fs::path data = shared_dir() / "data/cdisc-pilot";
  if (!fs::exists(file) || !fs::exists(data / "adsl.csv"))
    GTEST_SKIP() << "the published cells and the data of the CDISC pilot are not shipped: name their folder in EQUIPOISE_SHARED";
  Published published = published_cells(file);
  const json account = json::parse(contents(source_dir / "tests/in_place/pilot_cells.json"));
  const std::string told = contents(source_dir / "examples/cdisc-pilot/README.md");
  const auto says = [&](std::string const& row) {
    EXPECT_NE(told.find(row + "\n"), std::string::npos) << "the README of the example lacks the row\n" << row;
  };

  std::map<std::string, OurTables> reports;
  std::map<std::string, int> listed;
  for (json const& table : account.at("tables")) {
    const std::string name = table.at("table"), protocol = table.at("protocol");
    ASSERT_TRUE(published.contains(name)) << name;
    if (!reports.contains(protocol)) {
      const Folder folder;
      const Ran ran = equipoise({"report", (source_dir / "examples/cdisc-pilot" / protocol).string(), "--data",
                                 (data / table.at("data").get<std::string>()).string(), "--output", folder.path.string()});
      ASSERT_EQ(ran.status, 0) << ran.err;
      reports.emplace(protocol, OurTables(json::parse(contents(folder.path / "results.json")).at("tables")));
    }
    const Tally tally = Compared(account, table, reports.at(protocol), published.at(name)).tally();
    published.erase(name);
    for (auto const& [reason, n] : tally.listed) listed[reason] += n;
    says(fmt::format("| {} | {} | {} | {} |", name, tally.cells, tally.matched, tally.of_list()));
  }
  for (json const& table : account.at("left_out")) published.erase(table.at("table").get<std::string>());
  for (auto const& [name, rows] : published) ADD_FAILURE() << "table " << name << " is not in the account";
  for (auto const& [reason, sentence] : account.at("reasons").items())
    says(fmt::format("| {} | {} |", listed[reason], sentence.get<std::string>()));
}

}  // namespace
}  // namespace equipoise::e2e
