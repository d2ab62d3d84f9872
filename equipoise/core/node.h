#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "equipoise/core/dates.h"
#include "equipoise/core/error.h"

namespace equipoise {

/// One value of a document (TOML protocol, JSON case), with the place where a person wrote it. Tables keep the order of the file.
class Node {
 public:
  struct Member;
  using Array = std::vector<Node>;
  using Table = std::vector<Member>;
  using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Date, Array, Table>;

  Node();
  explicit Node(Value value, Place place = {});

  Place const& place() const { return place_; }
  Value const& value() const { return value_; }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool const* boolean() const { return std::get_if<bool>(&value_); }
  std::string const* text() const { return std::get_if<std::string>(&value_); }
  Date const* date() const { return std::get_if<Date>(&value_); }
  Array const* array() const { return std::get_if<Array>(&value_); }
  Table const* table() const { return std::get_if<Table>(&value_); }
  std::optional<double> number() const;         ///< of an integer or a real
  std::optional<std::int64_t> integer() const;  ///< of an integer, or of a real that is one

  /// The member of a table, or nothing.
  Node const* find(std::string_view key) const;

  /// "a number", "text", "a table", ...: for messages.
  std::string_view type_name() const;

 private:
  Value value_;
  Place place_{};
};

struct Node::Member {
  std::string key;
  Place place;
  Node value;
};

// Out of the class: Clang 14 needs the whole Member to make a Value.
inline Node::Node() = default;
inline Node::Node(Value value, Place place) : value_(std::move(value)), place_(std::move(place)) {}

/// Canonical bytes of a value: JSON with the keys of tables sorted by their bytes, arrays in order, no spaces, numbers in
/// shortest round-trip form (0.5e6 and 500000 are the same number and so the same bytes), dates as {"date":"YYYY-MM-DD"}.
std::string canonical(Node const& node);

}  // namespace equipoise
