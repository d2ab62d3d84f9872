#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

/// What tests of pages and figures do with the bytes.
namespace equipoise::report {

/// EQUIPOISE_REPORT_OUT=FOLDER writes the pages of these tests there, to be looked at.
inline std::string kept(std::string const& name, std::string page) {
  if (const char* folder = std::getenv("EQUIPOISE_REPORT_OUT"))
    std::ofstream(std::string(folder) + "/" + name + ".html", std::ios::binary) << page;
  return page;
}

inline std::size_t count(std::string const& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

/// Every element that opens closes, in order: what a browser would not have to repair.
/// The page without the files that stand in it for its buttons.
inline std::string without_files(std::string page) {
  for (std::size_t from = page.find("<template"); from != std::string::npos; from = page.find("<template", from)) {
    const std::size_t end = page.find("</template>", from);
    if (end == std::string::npos) break;
    page.erase(from, end + 11 - from);
  }
  return page;
}

inline void expect_balanced(std::string const& page) {
  std::vector<std::string> open;
  const std::size_t from = page.find("<html");
  for (std::size_t at = page.find('<', from); at != std::string::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string inside = page.substr(at + 1, end - at - 1);
    const std::string name = inside.substr(inside.starts_with('/') ? 1 : 0, inside.find(' ') - (inside.starts_with('/') ? 1 : 0));
    if (inside.starts_with('/')) {
      ASSERT_FALSE(open.empty()) << inside;
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    } else if (name != "meta" && name != "br") {
      open.push_back(name);
      if (name == "script" || name == "style") at = page.find("</" + name, end) - 1;
    }
  }
  EXPECT_TRUE(open.empty());
}

/// The texts of a page or figure in order, separated by " | ": what a reader reads, without the tags.
inline std::string texts_of(std::string const& markup) {
  std::string out;
  for (std::size_t at = 0; at < markup.size();) {
    const std::size_t open = std::min(markup.find('<', at), markup.size());
    if (open > at) out += (out.empty() ? "" : " | ") + markup.substr(at, open - at);
    const std::size_t close = markup.find('>', open);
    at = close == std::string::npos ? markup.size() : close + 1;
  }
  return out;
}

}  // namespace equipoise::report
