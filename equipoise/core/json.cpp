#include "equipoise/core/json.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace equipoise {
namespace {

/// Builds nodes from nlohmann's events rather than from its values, which would keep the last of two equal keys and say nothing.
class NodeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit NodeBuilder(Place const& place) : place_(place) {}

  Node result{};
  std::string problem{};

  bool null() override { return value(std::monostate{}); }
  bool boolean(bool got) override { return value(got); }
  bool number_integer(number_integer_t got) override { return value(std::int64_t(got)); }
  bool number_unsigned(number_unsigned_t got) override {
    constexpr auto most = number_unsigned_t(std::numeric_limits<std::int64_t>::max());
    return got <= most ? value(std::int64_t(got)) : value(double(got));
  }
  bool number_float(number_float_t got, string_t const&) override { return value(double(got)); }
  bool string(string_t& got) override { return value(std::move(got)); }
  bool binary(binary_t&) override { return refuse("binary data"); }

  bool start_object(std::size_t) override { return open(Node::Table{}); }
  bool start_array(std::size_t) override { return open(Node::Array{}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& got) override {
    for (Node::Member const& member : std::get<Node::Table>(open_.back().value))
      if (member.key == got) return refuse(fmt::format("the key '{}' is given twice", got));
    open_.back().key = std::move(got);
    return true;
  }
  bool parse_error(std::size_t position, std::string const& last, nlohmann::json::exception const& error) override {
    constexpr int number_overflow = 406;
    if (error.id == number_overflow) return refuse(fmt::format("the number {} is beyond what a double holds", last));
    return refuse(fmt::format("this is not JSON, at character {} of the line", position));
  }

 private:
  struct Open {
    Node::Value value;
    std::string key{};  // of the member whose value comes next
  };

  bool refuse(std::string text) {
    if (problem.empty()) problem = std::move(text);
    return false;
  }

  bool value(Node::Value got) {
    Node node(std::move(got), place_);
    if (open_.empty()) result = std::move(node);
    else if (auto* array = std::get_if<Node::Array>(&open_.back().value)) array->push_back(std::move(node));
    else std::get<Node::Table>(open_.back().value).push_back({std::move(open_.back().key), place_, std::move(node)});
    return true;
  }

  bool open(Node::Value empty) {
    constexpr std::size_t deepest = 64;  // far beyond any case; destroying a tree recurses
    if (open_.size() >= deepest) return refuse(fmt::format("more than {} levels of nesting", deepest));
    open_.push_back({std::move(empty)});
    return true;
  }

  bool close() {
    Node::Value done = std::move(open_.back().value);
    open_.pop_back();
    return value(std::move(done));
  }

  Place const& place_;
  std::vector<Open> open_;
};

}  // namespace

Expected<Node> read_json(std::string_view text, Place const& place) {
  NodeBuilder builder(place);
  try {
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.result);
  } catch (nlohmann::json::exception const& error) {
    builder.problem = error.what();
  }
  return tl::unexpected(Error{Code::syntax, std::move(builder.problem), place, {}});
}

}  // namespace equipoise
