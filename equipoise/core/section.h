#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/node.h"
#include "equipoise/core/text.h"

namespace equipoise {

/// Limits of a number, and how they are said: {.above = 0, .below = 1} is "between 0 and 1, both excluded".
struct Limits {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_excluded = false;
  bool max_excluded = false;

  static Limits open(double above, double below) { return {above, below, true, true}; }
  static Limits at_least(double min) { return {.min = min}; }
  static Limits above(double min) { return {.min = min, .min_excluded = true}; }
  bool contain(double value) const;
  std::string sentence() const;  ///< "above 0 and below 1"
};

template <class E>
using Words = std::span<const std::pair<std::string_view, E>>;

/// Reads one table of a document key by key. Every getter reports what is wrong with its key and returns nothing then; `finish`
/// reports the keys that nobody asked for, with the nearest one that somebody did. Copyable look: the Node must outlive it.
///
///     Section section(node, "analysis 'a04'", problems);
///     auto interval = section.word<Scale>("interval", scales).value_or(Scale::log_log);
///     section.finish();
class Section {
 public:
  /// `name` is how messages call the table: "arm 'placebo'".
  Section(Node const& table, std::string name, Problems& problems);

  std::string const& name() const { return name_; }
  void rename(std::string name) { name_ = std::move(name); }
  Place const& place() const { return table_->place(); }
  Problems& problems() const { return *problems_; }
  Node const& node() const { return *table_; }

  bool has(std::string_view key) const;
  Place place_of(std::string_view key) const;  ///< of the value; of the table when the key is absent

  /// The raw value, marked as read.
  Node const* take(std::string_view key);
  /// The raw value; its absence is a problem.
  Node const* need(std::string_view key);

  std::optional<std::string> text(std::string_view key);
  std::optional<std::string> filled_text(std::string_view key);  ///< may be absent, but not empty: a name or a reference
  std::optional<std::string> need_text(std::string_view key);    ///< required, and not empty
  std::optional<std::string> id(std::string_view key, bool hyphens = false);  ///< required; [a-z][a-z0-9_]*
  std::optional<double> number(std::string_view key, Limits limits = {});
  std::optional<double> need_number(std::string_view key, Limits limits = {});
  std::optional<std::int64_t> integer(std::string_view key, Limits limits = {});
  std::optional<bool> flag(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key);
  std::optional<std::vector<double>> numbers(std::string_view key, Limits limits = {});
  /// A table as a section of its own; `name` as in the constructor.
  std::optional<Section> table(std::string_view key, std::string name);
  /// An array of tables, in order; an element of another type is a problem.
  std::vector<Section> tables(std::string_view key, std::string name);

  template <class E>
  std::optional<E> word(std::string_view key, Words<E> words) {
    const Node* value = take(key);
    if (!value) return {};
    if (const std::string* got = value->text())
      for (auto const& [text, meaning] : words)
        if (text == *got) return meaning;
    std::vector<std::string> offered;
    for (auto const& [text, meaning] : words) offered.emplace_back(text);
    report_word(*value, key, offered);
    return {};
  }

  /// Reports an error at the value of `key`.
  template <class... Args>
  Error& report_at(std::string_view key, Code code, fmt::format_string<Args...> text, Args&&... args) {
    return add_problem(*problems_, place_of(key), code, text, std::forward<Args>(args)...);
  }

  /// Marks keys as known without reading them now (somebody else will).
  void allow(std::string_view key) { asked_.emplace(key); }
  /// Reports every key that was not asked for.
  void finish();

 private:
  void report_word(Node const& value, std::string_view key, std::span<const std::string> offered);
  void report_type(Node const& value, std::string_view key, std::string_view wanted);
  std::optional<double> checked(Node const& value, std::string_view key, Limits const& limits);

  Node const* table_;
  std::string name_;
  Problems* problems_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace equipoise
