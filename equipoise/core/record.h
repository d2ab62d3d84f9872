#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "equipoise/core/clock.h"
#include "equipoise/core/expected.h"
#include "equipoise/core/section.h"

/// Structs as JSON: what is written to logs and sent over sockets. A struct says its members once, in the order in which they are
/// written:
///
///     struct Receipt {
///       std::string stream;
///       std::int64_t position = 0;
///       static void fields(auto& self, auto&& f) { f("stream", self.stream), f("position", self.position); }
///     };
///
/// Members are texts, whole numbers, numbers, flags, instants, structs of this kind, vectors and optionals of them. A member that
/// is empty (false, no text, no element, absent) is left out; a number never is. So a value has one encoding, and a log that is
/// decoded and encoded again keeps its bytes.
namespace equipoise {

namespace record {

struct Nothing {
  void operator()(std::string_view, auto&) const {}
};

template <class T>
concept Struct = requires(T& value) { T::fields(value, Nothing{}); };

void write_text(std::string& out, std::string_view text);
void write_number(std::string& out, double value);

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
bool left_out(T const& value) {
  if constexpr (std::same_as<T, bool>) return !value;
  else if constexpr (std::same_as<T, std::string> || IsVector<T>::value) return value.empty();
  else if constexpr (IsOptional<T>::value) return !value.has_value();
  else return false;
}

template <class T>
void write(std::string& out, T const& value) {
  if constexpr (std::same_as<T, bool>) out += value ? "true" : "false";
  else if constexpr (std::same_as<T, std::string>) write_text(out, value);
  else if constexpr (std::same_as<T, Instant>) out += '"', out += to_string(value), out += '"';
  else if constexpr (std::integral<T>) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  } else if constexpr (std::floating_point<T>) write_number(out, value);
  else if constexpr (IsOptional<T>::value) write(out, *value);
  else if constexpr (IsVector<T>::value) {
    out += '[';
    bool first = true;
    for (auto const& element : value) {
      if (!first) out += ',';
      first = false;
      write(out, element);
    }
    out += ']';
  } else {
    static_assert(Struct<T>);
    out += '{';
    bool first = true;
    T::fields(value, [&](std::string_view name, auto const& member) {
      if (left_out(member)) return;
      if (!first) out += ',';
      first = false;
      out += '"', out += name, out += "\":";
      write(out, member);
    });
    out += '}';
  }
}

/// Reads what `write` wrote, and nothing else.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()), begin_(bytes.data()) {}

  bool done() const { return at_ == end_; }
  std::size_t position() const { return std::size_t(at_ - begin_); }

  /// Exactly these bytes.
  bool literal(std::string_view bytes) {
    if (std::size_t(end_ - at_) < bytes.size() || std::string_view(at_, bytes.size()) != bytes) return false;
    at_ += bytes.size();
    return true;
  }
  bool text(std::string& into);
  bool number(double& into);
  bool flag(bool& into);

  template <class T>
  bool read(T& into) {
    if constexpr (std::same_as<T, bool>) return flag(into);
    else if constexpr (std::same_as<T, std::string>) return text(into);
    else if constexpr (std::same_as<T, Instant>) {
      if (end_ - at_ < 26 || at_[0] != '"' || at_[25] != '"') return false;
      const auto instant = to_instant({at_ + 1, 24});
      if (!instant) return false;
      into = *instant, at_ += 26;
      return true;
    } else if constexpr (std::integral<T>) {
      if (at_ < end_ && *at_ == '0' && end_ - at_ > 1 && at_[1] >= '0' && at_[1] <= '9') return false;
      const auto [next, problem] = std::from_chars(at_, end_, into);
      if (problem != std::errc() || (*at_ == '-' && (at_[1] == '0'))) return false;
      at_ = next;
      return true;
    } else if constexpr (std::floating_point<T>) return number(into);
    else if constexpr (IsOptional<T>::value) return read(into.emplace());
    else if constexpr (IsVector<T>::value) {
      if (!take('[')) return false;
      if (take(']')) return false;  // an empty one is left out
      do
        if (!read(into.emplace_back())) return false;
      while (take(','));
      return take(']');
    } else {
      static_assert(Struct<T>);
      if (!take('{')) return false;
      bool fine = true, first = true;
      T::fields(into, [&](std::string_view name, auto& member) {
        if (!fine) return;
        const char* const before = at_;
        if (!take_key(name, first)) {
          at_ = before;
          fine = left_out(member);  // a member without an empty state must be there
          return;
        }
        first = false;
        fine = read(member) && !left_out(member);
      });
      return fine && take('}');
    }
  }

 private:
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool take_key(std::string_view name, bool first) {
    if (!first && !take(',')) return false;
    if (std::size_t(end_ - at_) < name.size() + 3 || at_[0] != '"' || std::string_view(at_ + 1, name.size()) != name ||
        at_[name.size() + 1] != '"' || at_[name.size() + 2] != ':')
      return false;
    at_ += name.size() + 3;
    return true;
  }

  char const *at_, *end_, *begin_;
};

template <class T>
void take_member(Section& section, std::string_view name, T& member);

/// Reads a struct from what a person or a program sent: every problem is reported. A member without an empty state is required;
/// a text is, unless it is an optional one, or the struct says that its texts may be empty (`empty_texts`).
template <Struct T>
void take(Section& section, T& value) {
  T::fields(value, [&](std::string_view name, auto& member) {
    if constexpr (requires { T::empty_texts; } && std::same_as<std::remove_cvref_t<decltype(member)>, std::string>)
      member = section.text(name).value_or("");
    else take_member(section, name, member);
  });
  section.finish();
}

template <class T>
void take_element(Node const& node, std::string_view name, T& element, Problems& problems) {
  if constexpr (Struct<T>) {
    if (!node.table()) {
      add_problem(problems, node.place(), Code::wrong_type, "an element of '{}' is a table, and not {}", name, node.type_name());
      return;
    }
    Section part(node, std::string(name), problems);
    take(part, element);
  } else {  // a list of values is read as a table of one
    const Node alone(Node::Table{{std::string(name), node.place(), node}}, node.place());
    Section one(alone, std::string(name), problems);
    take_member(one, name, element);
  }
}

template <class T>
void take_member(Section& section, std::string_view name, T& member) {
  if constexpr (std::same_as<T, bool>) member = section.flag(name).value_or(false);
  else if constexpr (std::same_as<T, std::string>) member = section.need_text(name).value_or("");
  else if constexpr (IsOptional<T>::value) {
    if (section.has(name)) take_member(section, name, member.emplace());
    else section.allow(name);
  } else if constexpr (std::same_as<T, Instant>) {
    if (const auto text = section.need_text(name)) {
      const auto instant = to_instant(*text);
      if (instant) member = *instant;
      else section.report_at(name, Code::wrong_type, "'{}' of {} is a moment such as 2026-11-28T08:30:00.000Z", name, section.name());
    }
  } else if constexpr (std::integral<T>) {
    if (section.need(name)) member = T(section.integer(name, {.min = -9007199254740992.0, .max = 9007199254740992.0}).value_or(0));
  } else if constexpr (std::floating_point<T>) member = section.need_number(name).value_or(0);
  else if constexpr (IsVector<T>::value) {
    Node const* list = section.take(name);
    if (!list) return;
    if (!list->array()) {
      section.report_at(name, Code::wrong_type, "'{}' of {} is a list, and not {}", name, section.name(), list->type_name());
      return;
    }
    for (Node const& node : *list->array()) take_element(node, name, member.emplace_back(), section.problems());
  } else if (auto part = section.table(name, fmt::format("'{}' of {}", name, section.name()))) {
    take(*part, member);
  } else {
    section.need(name);
  }
}

}  // namespace record

/// The one encoding of a value.
template <record::Struct T>
std::string encoded(T const& value) {
  std::string out;
  record::write(out, value);
  return out;
}

/// The value whose encoding these bytes are.
/// errors  syntax: they are no encoding of such a value, with the position at which they stop being one
template <record::Struct T>
Expected<T> decoded(std::string_view bytes) {
  record::Reader reader(bytes);
  T value{};
  if (!reader.read(value) || !reader.done())
    return fail(Code::syntax, "the bytes are no record of their kind, from position {} on", reader.position());
  return value;
}

}  // namespace equipoise
