#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

/// How each method is put to a random trial: roles, options, and the numbers that another program can confirm.
namespace equipoise::property {

struct Reading {
  std::string_view quantity;
  std::string_view at = "{}";  ///< JSON
};

struct Recipe {
  std::string_view name;            ///< of the recipe: a method may have several
  std::string_view method;          ///< keyword
  std::string_view roles, options;  ///< JSON
  std::vector<Reading> readings;    ///< relative tolerance of all: see `tolerance`
  double tolerance = 1e-9;
  bool free_of_time_unit = false;  ///< no number changes when every time is doubled
  bool in_r = true;                ///< the runner in R has the method
};

std::vector<Recipe> const& recipes();

}  // namespace equipoise::property
