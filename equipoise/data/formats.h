#pragma once

#include <algorithm>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/data/formats/dataset_json.h"
#include "equipoise/data/formats/exchange.h"
#include "equipoise/data/formats/typed_csv.h"
#include "equipoise/data/formats/xpt.h"

/// The data formats this build reads and writes, in one list (docs/methods/exchange_formats.md).
namespace equipoise::data {

/// Name and file ending of a format: help and messages are made from it.
struct FormatCard {
  std::string_view keyword;  ///< "csv"
  std::string_view ending;   ///< ".csv", lower case
  std::string_view title;
  std::string_view sidecar = {};  ///< what is added to a file's name for the file beside it; empty = there is none
};

/// A file as it came.
struct FormatInput {
  FileBytes bytes;
  std::string file;
  std::optional<std::string> sidecar{};
  Encoding encoding = Encoding::utf8;  ///< of texts, where the format does not say
  std::vector<std::string> columns{};  ///< whose cells will be looked at; empty = all
  std::size_t problems_shown = 20;     ///< of each kind, where a format can have many; the rest is counted
};

/// A file to be written.
struct FormatOutput {
  std::string bytes;
  std::optional<std::string> sidecar{};
  Losses losses{};
};

/// cells   the file as texts, for [source];  read  every data set in it, with all that is said of it;  write  the way back
/// begins  whether bytes without a name begin like this format
template <class F>
concept Format = requires(FormatInput input, std::vector<ExchangeTable> const& tables) {
  { F::card() } -> std::same_as<FormatCard const&>;
  { F::begins(std::string_view()) } -> std::same_as<bool>;
  { F::cells(std::move(input)) } -> std::same_as<Checked<CellTable>>;
  { F::read(std::move(input)) } -> std::same_as<Checked<std::vector<ExchangeTable>>>;
  { F::write(tables) } -> std::same_as<Checked<FormatOutput>>;
};

struct Csv {
  static FormatCard const& card() {
    static constexpr FormatCard it{"csv", ".csv", "Comma-separated values (RFC 4180, UTF-8), with a sidecar of types and labels",
                                   ".json"};
    return it;
  }
  static bool begins(std::string_view) { return true; }
  static Checked<CellTable> cells(FormatInput input) {
    return read_csv(std::move(input.bytes), std::move(input.file), {.problems_shown = input.problems_shown, .columns = std::move(input.columns)});
  }
  static Checked<std::vector<ExchangeTable>> read(FormatInput input);
  static Checked<FormatOutput> write(std::vector<ExchangeTable> const& tables);
};

struct Xpt {
  static FormatCard const& card() {
    static constexpr FormatCard it{"xpt", ".xpt", "SAS transport file, version 5 (XPORT)"};
    return it;
  }
  static bool begins(std::string_view bytes) { return bytes.starts_with("HEADER RECORD*******"); }
  static Checked<CellTable> cells(FormatInput input);
  static Checked<std::vector<ExchangeTable>> read(FormatInput input);
  static Checked<FormatOutput> write(std::vector<ExchangeTable> const& tables);
};

/// The three forms of Dataset-JSON differ in how they are written; each reader takes all of them.
struct DatasetJson {
  static FormatCard const& card() {
    static constexpr FormatCard it{"json", ".json", "CDISC Dataset-JSON 1.1"};
    return it;
  }
  static bool begins(std::string_view bytes) { return bytes.starts_with('{') || is_compressed(bytes); }
  static Checked<CellTable> cells(FormatInput input);
  static Checked<std::vector<ExchangeTable>> read(FormatInput input);
  static Checked<FormatOutput> write(std::vector<ExchangeTable> const& tables);
};

struct DatasetNdjson : DatasetJson {
  static FormatCard const& card() {
    static constexpr FormatCard it{"ndjson", ".ndjson", "CDISC Dataset-JSON 1.1, a row a line"};
    return it;
  }
  static Checked<FormatOutput> write(std::vector<ExchangeTable> const& tables);
};

struct CompressedDatasetJson : DatasetJson {
  static FormatCard const& card() {
    static constexpr FormatCard it{"dsjc", ".dsjc", "CDISC Dataset-JSON 1.1, a row a line, compressed"};
    return it;
  }
  static Checked<FormatOutput> write(std::vector<ExchangeTable> const& tables);
};

template <Format... Fs>
struct FormatList {
  static std::vector<FormatCard> cards() { return {Fs::card()...}; }

  /// The card of a keyword, or of a file name by its ending.
  static std::optional<FormatCard> card(std::string_view keyword) { return find(&FormatCard::keyword, keyword); }
  static std::optional<FormatCard> card_of_file(std::string_view file) { return find(&FormatCard::ending, ending(file)); }

  /// Reads a file by the ending of its name; bytes without such a name (standard input) by how they begin.
  static Checked<CellTable> read(FormatInput input) {
    return with(chosen(input), input.file, [&]<class F>(std::type_identity<F>) { return F::cells(std::move(input)); });
  }
  static Checked<CellTable> read(std::string bytes, std::string file) { return read({std::move(bytes), std::move(file)}); }

  /// The same, every data set with all that is said of it; `keyword` overrides the ending.
  static Checked<std::vector<ExchangeTable>> read_tables(FormatInput input, std::string_view keyword = {}) {
    const std::string format = keyword.empty() ? chosen(input) : std::string(keyword);
    return with(format, input.file, [&]<class F>(std::type_identity<F>) { return F::read(std::move(input)); });
  }
  static Checked<FormatOutput> write(std::vector<ExchangeTable> const& tables, std::string_view keyword) {
    return with(std::string(keyword), {}, [&]<class F>(std::type_identity<F>) { return F::write(tables); });
  }

 private:
  static std::string ending(std::string_view file) {
    const std::size_t dot = file.find_last_of("./");
    std::string text(dot == std::string_view::npos || file[dot] == '/' ? std::string_view{} : file.substr(dot));
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return text;
  }

  static std::optional<FormatCard> find(std::string_view FormatCard::*part, std::string_view text) {
    for (FormatCard const& card : cards())
      if (card.*part == text) return card;
    return {};
  }

  /// The keyword of the format that the name says, or the bytes when it says nothing; else the ending.
  static std::string chosen(FormatInput const& input) {
    const std::string named = ending(input.file);
    if (const auto card = find(&FormatCard::ending, named)) return std::string(card->keyword);
    if (!named.empty()) return named;
    std::string keyword;
    const auto offer = [&]<class F>(std::type_identity<F>) {
      if (F::begins(input.bytes) && (keyword.empty() || keyword == Csv::card().keyword)) keyword = F::card().keyword;
    };
    (offer(std::type_identity<Fs>{}), ...);
    return keyword;
  }

  template <class Do>
  static auto with(std::string const& keyword, std::string const& file, Do&& act) {
    std::vector<std::string> endings;
    for (FormatCard const& card : cards()) endings.emplace_back(card.ending);
    Problems problems;
    add_problem(problems, {.file = file}, Code::not_available,
                "files ending in '{}' cannot be read or written; data files end in {}", keyword, one_of(endings));
    decltype(act(std::type_identity<Csv>{})) made = fail(std::move(problems));
    const auto offer = [&]<class F>(std::type_identity<F> one) {
      if (keyword == F::card().keyword) made = act(one);
    };
    (offer(std::type_identity<Fs>{}), ...);
    return made;
  }
};

using Formats = FormatList<Csv, Xpt, DatasetJson, DatasetNdjson, CompressedDatasetJson>;  // <- a new format joins here

}  // namespace equipoise::data
