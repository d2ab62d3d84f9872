#pragma once

#include <string>
#include <string_view>

#include "equipoise/report/html.h"
#include "equipoise/report/rehearsal/names.h"

/// The cells that the tables of a rehearsal are made of.
namespace equipoise::report::rehearsal::tables {

/// A number and, smaller below it, what belongs to it.
Markup cell(Markup const& value, std::string const& below);
Markup nothing();  ///< where there is no number: a dash
/// Per cent, the standard error in brackets below; of none and all trials how many they were. `tag` stands below that.
Markup share_cell(Names const& names, results::Share const& share, std::string const& tag = {});
Markup measured_cell(results::Measured const& measured, double times = 1);

Markup heading(Markup const& text, bool number = false);
Markup row_head(Markup const& text);
/// Marker (as in the figures) and name.
Markup scenario_name(Names const& names, std::size_t scenario);

Markup data_table(Markup const& head, Markup const& bodies, std::string_view css = "data");

}  // namespace equipoise::report::rehearsal::tables
