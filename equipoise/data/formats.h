#pragma once

#include <algorithm>
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"

/// The data formats this build reads, in one list. A format turns the bytes of a file into a table of cells.
namespace equipoise::data {

/// Name and file ending of a format: help and messages are made from it.
struct FormatCard {
  std::string_view keyword;  ///< "csv"
  std::string_view ending;   ///< ".csv", lower case
  std::string_view title;
};

template <class F>
concept Format = requires(std::string bytes, std::string file) {
  { F::card() } -> std::same_as<FormatCard const&>;
  { F::read(std::move(bytes), std::move(file)) } -> std::same_as<Checked<CsvTable>>;
};

struct Csv {
  static FormatCard const& card() {
    static constexpr FormatCard it{"csv", ".csv", "Comma-separated values (RFC 4180, UTF-8)"};
    return it;
  }
  static Checked<CsvTable> read(std::string bytes, std::string file) { return read_csv(std::move(bytes), std::move(file)); }
};

template <Format... Fs>
struct FormatList {
  static std::vector<FormatCard> cards() { return {Fs::card()...}; }

  /// Reads a file by the ending of its name; a name without an ending (standard input) is read by the first format.
  static Checked<CsvTable> read(std::string bytes, std::string file) {
    const std::size_t dot = file.find_last_of("./");
    std::string ending = dot == std::string::npos || file[dot] == '/' ? std::string(cards().front().ending) : file.substr(dot);
    std::ranges::transform(ending, ending.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    std::vector<std::string> endings;
    for (FormatCard const& card : cards()) endings.emplace_back(card.ending);
    Problems problems;
    add_problem(problems, {.file = file}, Code::not_available, "files ending in '{}' cannot be read; data files end in {}",
                ending, one_of(endings));
    Checked<CsvTable> table = fail(std::move(problems));
    const auto offer = [&]<class F>(std::type_identity<F>) {
      if (ending == F::card().ending) table = F::read(std::move(bytes), std::move(file));
    };
    (offer(std::type_identity<Fs>{}), ...);
    return table;
  }
};

using Formats = FormatList<Csv>;  // <- a new format joins here

}  // namespace equipoise::data
