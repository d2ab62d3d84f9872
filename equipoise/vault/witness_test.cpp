#include "equipoise/vault/witness.h"

#include <sys/stat.h>

#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using testing::bytes_of, testing::Folder, testing::write_bytes;

/// Digest of event n of a log; another log has others from `differs` on.
std::function<std::string(std::int64_t)> log(std::int64_t differs = 1000) {
  return [differs](std::int64_t n) { return sha256(fmt::format("event {}{}", n, n >= differs ? " changed" : "")); };
}

class WitnessTest : public ::testing::Test {
 protected:
  Witness open() { return Witness::open(path_).value(); }
  static void commit(Witness& witness, std::int64_t n) {
    ASSERT_TRUE(witness.intend(n, log()(n)));
    ASSERT_TRUE(witness.confirm(n, log()(n)));
  }
  Folder folder_;
  std::filesystem::path path_ = folder_ / "witness";
};

TEST_F(WitnessTest, HasSeenNothingAtFirst) {
  const Witness witness = open();
  EXPECT_EQ(witness.judge(0, log()), Standing::absent);
  EXPECT_EQ(witness.judge(7, log()), Standing::absent);
  EXPECT_EQ(witness.sentence(Standing::absent, 0), fmt::format("the witness '{}' has seen no log yet", path_.string()));
  struct stat status {};
  ::stat(path_.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(WitnessTest, KnowsTheLogItSawAcrossRestarts) {
  {
    Witness witness = open();
    for (std::int64_t n = 1; n <= 5; ++n) commit(witness, n);
  }
  const Witness witness = open();
  EXPECT_EQ(witness.confirmed().sequence, 5);
  EXPECT_EQ(witness.judge(5, log()), Standing::fine);
  EXPECT_EQ(witness.sentence(Standing::fine, 5), "");
}

TEST_F(WitnessTest, F20_RecognisesARestoredCopy) {
  Witness witness = open();
  for (std::int64_t n = 1; n <= 5; ++n) commit(witness, n);
  EXPECT_EQ(witness.judge(2, log()), Standing::behind);
  EXPECT_EQ(witness.judge(0, log()), Standing::behind);
  EXPECT_EQ(witness.sentence(Standing::behind, 2), "the log ends at event 2, and event 5 was confirmed: this is an older copy");
}

TEST_F(WitnessTest, RecognisesAnotherLog) {
  Witness witness = open();
  for (std::int64_t n = 1; n <= 5; ++n) commit(witness, n);
  EXPECT_EQ(witness.judge(5, log(5)), Standing::another_log);
  EXPECT_EQ(witness.judge(9, log(3)), Standing::another_log);
  EXPECT_EQ(witness.sentence(Standing::another_log, 5),
            "event 5 of this log is not the one that was confirmed: this is another log, or it was changed");
  EXPECT_EQ(witness.judge(9, log(6)), Standing::fine);  // what came after it saw is not its business
}

TEST_F(WitnessTest, IsFineWithACommitThatItDidNotSeeEnd) {
  Witness witness = open();
  commit(witness, 1);
  ASSERT_TRUE(witness.intend(2, log()(2)));
  EXPECT_EQ(witness.judge(1, log()), Standing::fine);  // the commit did not happen
  EXPECT_EQ(witness.judge(2, log()), Standing::fine);  // it did
  EXPECT_EQ(witness.intended().sequence, 2);
  Witness first = Witness::open(folder_ / "other").value();
  ASSERT_TRUE(first.intend(1, log()(1)));
  EXPECT_EQ(first.judge(0, log()), Standing::fine);
}

TEST_F(WitnessTest, SurvivesATornWriteOfEitherSlot) {
  {
    Witness witness = open();
    for (std::int64_t n = 1; n <= 5; ++n) commit(witness, n);
  }
  const std::string whole = bytes_of(path_);
  ASSERT_EQ(whole.size(), 1024u);
  for (const std::size_t slot : {0u, 512u}) {
    std::string torn = whole;
    std::fill_n(torn.begin() + std::ptrdiff_t(slot) + 100, 50, '\0');
    write_bytes(path_, torn);
    const Witness witness = open();
    EXPECT_GE(witness.confirmed().sequence, 4) << slot;  // the other slot knows this much
    EXPECT_EQ(witness.judge(5, log()), Standing::fine);
  }
  write_bytes(path_, whole.substr(0, 700));
  EXPECT_EQ(open().judge(5, log()), Standing::fine);
  write_bytes(path_, "not a witness");
  EXPECT_EQ(open().judge(5, log()), Standing::absent);
}

TEST_F(WitnessTest, SaysWhereItCannotBe) { EXPECT_EQ(Witness::open(folder_ / "no/such").error().code, Code::io); }

}  // namespace
}  // namespace equipoise::vault
