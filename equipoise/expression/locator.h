#pragma once

#include <string>
#include <string_view>

#include "equipoise/core/error.h"

namespace equipoise::expression {

/// From a byte of an expression's text to its place in the file. Columns count characters, as editors do, not bytes.
class Locator {
 public:
  Locator(std::string_view text, Place place) : text_(text), place_(std::move(place)) {}
  Place operator()(std::size_t position) const;

 private:
  std::string_view text_;
  Place place_;
};

/// A piece of what somebody wrote, short enough for a message: at most 40 bytes, cut between characters.
std::string excerpt(std::string_view written);

}  // namespace equipoise::expression
