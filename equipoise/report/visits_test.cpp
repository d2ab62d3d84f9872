#include "equipoise/report/visits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "equipoise/report/page.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

/// EQUIPOISE_REPORT_OUT=FOLDER writes the pages of these tests there, to be looked at.
std::string kept(std::string const& name, std::string page) {
  if (const char* folder = std::getenv("EQUIPOISE_REPORT_OUT"))
    std::ofstream(std::string(folder) + "/" + name + ".html", std::ios::binary) << page;
  return page;
}

TEST(VisitsPage, Looks) {
  protocol::Protocol p;
  results::Results r;
  fixture::repeated_trial(p, r);
  kept("visits", html(p, r));
  kept("visits-zh", html(p, r, {.language = "zh"}));
}

}  // namespace
}  // namespace equipoise::report
