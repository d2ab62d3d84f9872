#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace equipoise::study {

/// Places of a protocol where a method is named. The models of scenarios are the room simulate's.
enum class Slot { analysis, design, randomisation, multiplicity };

/// Every published method name of a slot, carried by this build or not: the methods of the reference files and of the format's
/// flagship. What a build carries is the rooms' own lists; a name in neither is unknown.
std::vector<std::string> published(Slot slot);

}  // namespace equipoise::study
