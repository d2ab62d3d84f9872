#pragma once

#include <string_view>

#include "equipoise/core/expected.h"

namespace equipoise::protocol {

/// Whether the text is a UCUM unit in its case-sensitive form: prefixes, atoms, exponents, '.', '/', '10*6', '{notes}', and
/// things counted by their plain English name ("cells/kg", "copies/mL"). errors  unit_mismatch, with the nearest unit as a hint
/// source  UCUM 2.1, sections 2 to 4 (the atoms of clinical laboratories, not the whole table)
Expected<void> check_unit(std::string_view unit);

}  // namespace equipoise::protocol
