#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace equipoise::data {

/// The bytes of a file, which never move: a text, or whatever else holds them (a mapping of the file). Copies share them.
class FileBytes {
 public:
  FileBytes() = default;
  FileBytes(std::string text) {  // NOLINT: a text is the bytes of a file
    auto kept = std::make_shared<const std::string>(std::move(text));
    view_ = *kept;
    owner_ = std::move(kept);
  }
  FileBytes(const char* text) : FileBytes(std::string(text)) {}  // NOLINT
  FileBytes(std::shared_ptr<const void> owner, std::string_view bytes) : owner_(std::move(owner)), view_(bytes) {}

  operator std::string_view() const { return view_; }  // NOLINT
  std::string_view view() const { return view_; }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace equipoise::data
