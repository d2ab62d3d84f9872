#pragma once

#include <string>

namespace equipoise::cli {

/// The requirements of conduct and the tests that carry their ids (docs/requirements.json), as it was when this was built.
std::string requirements_json();
std::string requirements_text();

}  // namespace equipoise::cli
