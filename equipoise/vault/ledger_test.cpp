#include "equipoise/vault/ledger.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using testing::bytes_of, testing::Folder, testing::said, testing::TestChance, testing::write_bytes;

SecretBytes seed(std::uint8_t byte = 1) {
  SecretBytes made(32);
  made.bytes()[0] = byte;
  return made;
}
LedgerEntry entry(int number, std::string text = "high") {
  return {.kind = "opening",
          .at = Instant(std::chrono::milliseconds(number)),
          .act = sha256("act"),
          .id = std::to_string(number),
          .text = std::move(text)};
}

class LedgerTest : public ::testing::Test {
 protected:
  Expected<Ledger> open(bool cut_last = false) { return Ledger::open(path_, seed(), chance_, cut_last); }
  void fill(int entries) {
    auto ledger = open();
    ASSERT_TRUE(ledger) << ledger.error().message;
    for (int i = 1; i <= entries; ++i) ASSERT_TRUE(ledger->append(entry(i)));
  }
  Folder folder_;
  TestChance chance_;
  std::filesystem::path path_ = folder_ / "ledger";
};

TEST_F(LedgerTest, KeepsWhatIsAppended) {
  fill(3);
  auto ledger = open();
  ASSERT_TRUE(ledger);
  ASSERT_EQ(ledger->size(), 3u);
  EXPECT_EQ(ledger->entries()[1], entry(2));
  EXPECT_EQ(ledger->notice(), "");
  const std::string digest = ledger->digest();
  ASSERT_TRUE(ledger->append(entry(4)));
  EXPECT_NE(ledger->digest(), digest);
  const std::string four = ledger->digest();
  ledger = open();  // the first one still has the lock
  EXPECT_EQ(said(ledger), fmt::format("another vault has the ledger '{}'", path_.string()));
}

TEST_F(LedgerTest, DigestAndEntriesSurviveReopening) {
  std::string digest;
  {
    auto ledger = open().value();
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(ledger.append(entry(i)));
    digest = ledger.digest();
  }
  EXPECT_EQ(open()->digest(), digest);
}

TEST_F(LedgerTest, HasRecordsOfOneLengthThatShowNothing) {
  {
    auto ledger = open().value();
    EXPECT_EQ(std::filesystem::file_size(path_), 64u);
    ASSERT_TRUE(ledger.append(entry(1, "ZQXHIGH")));
    EXPECT_EQ(std::filesystem::file_size(path_), 64u + 4136);
    ASSERT_TRUE(ledger.append(entry(2, std::string(3000, 'l'))));
    EXPECT_EQ(std::filesystem::file_size(path_), 64u + 2 * 4136);
    EXPECT_EQ(said(ledger.append(entry(3, std::string(4088, 'l')))),
              "an entry of the ledger has at most 4088 bytes, and this one has 4230");
    EXPECT_EQ(ledger.size(), 2u);
  }
  EXPECT_EQ(bytes_of(path_).find("ZQXHIGH"), std::string::npos);
  struct stat status {};
  ::stat(path_.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(LedgerTest, DropsARecordThatWasCutOffAndSaysSo) {
  fill(2);
  const std::string whole = bytes_of(path_);
  for (const std::size_t left : {std::size_t(1), std::size_t(24), std::size_t(2000), std::size_t(4135)}) {
    write_bytes(path_, whole.substr(0, 64 + 4136 + left));
    auto ledger = open();
    ASSERT_TRUE(ledger) << ledger.error().message;
    EXPECT_EQ(ledger->size(), 1u);
    EXPECT_EQ(ledger->notice(),
              fmt::format(
                  "the last record of the ledger '{}' is {} of 4136 bytes and was cut off: what it was about was never answered",
                  path_.string(), left));
    ASSERT_TRUE(ledger->append(entry(7)));
    EXPECT_EQ(std::filesystem::file_size(path_), 64u + 2 * 4136);
  }
  auto ledger = open();
  EXPECT_EQ(ledger->notice(), "");
  EXPECT_EQ(ledger->entries().back(), entry(7));
}

TEST_F(LedgerTest, BeginsAnewAfterACrashBeforeItsHead) {
  fill(0);
  const std::string head = bytes_of(path_);
  for (const std::size_t size : {std::size_t(0), std::size_t(5), std::size_t(40)}) {
    write_bytes(path_, head.substr(0, size));
    EXPECT_EQ(open()->size(), 0u);
  }
  fill(1);
  EXPECT_EQ(open()->size(), 1u);
}

TEST_F(LedgerTest, RefusesAnyChange) {
  fill(3);
  const std::string whole = bytes_of(path_);
  for (std::size_t at = 24; at < whole.size(); at += at < 64 ? 8 : 611) {
    std::string changed = whole;
    changed[at] = char(changed[at] ^ 1);
    write_bytes(path_, changed);
    const auto ledger = open();
    ASSERT_FALSE(ledger) << at;
    const std::size_t record = at < 64 ? 1 : (at - 64) / 4136 + 1;
    EXPECT_EQ(ledger.error().message,
              fmt::format("record {} of 3 in the ledger '{}' does not open: it is of another vault, or was changed", record,
                          path_.string()));
  }
  const auto part = [&](std::size_t record) { return whole.substr(64 + record * 4136, 4136); };
  write_bytes(path_, whole.substr(0, 64) + part(1) + part(0) + part(2));  // two exchanged
  EXPECT_FALSE(open());
  write_bytes(path_, whole.substr(0, 64) + part(0) + part(2));  // one left out
  EXPECT_FALSE(open());
  write_bytes(path_, whole.substr(0, 64) + part(0) + part(0));  // one again
  EXPECT_FALSE(open());
}

TEST_F(LedgerTest, CutsOffALastRecordThatDoesNotOpenOnlyWhenAsked) {
  fill(3);
  std::string torn = bytes_of(path_);
  std::fill(torn.end() - 1000, torn.end(), '\0');
  write_bytes(path_, torn);
  ASSERT_FALSE(open());
  EXPECT_EQ(open().error().hint, "if the machine lost power while it wrote this last record, the record may be cut off");
  const auto mended = open(true);
  ASSERT_TRUE(mended);
  EXPECT_EQ(mended->size(), 2u);
  EXPECT_EQ(mended->notice(),
            fmt::format("the last record of the ledger '{}' did not open and was cut off, as was asked for", path_.string()));
  std::string middle = bytes_of(path_);
  middle[64 + 50] = char(middle[64 + 50] ^ 1);
  write_bytes(path_, middle);
  EXPECT_FALSE(open(true));  // what is not the last one is never cut
}

TEST_F(LedgerTest, RefusesForeignAndNewerFilesAndOtherVaults) {
  write_bytes(path_, "a,b,c\n1,2,3\n");
  EXPECT_EQ(said(open()), fmt::format("'{}' is no ledger of a vault", path_.string()));
  EXPECT_EQ(bytes_of(path_), "a,b,c\n1,2,3\n");
  std::filesystem::remove(path_);
  fill(1);
  EXPECT_EQ(Ledger::open(path_, seed(2), chance_).error().code, Code::refused);
  std::string newer = bytes_of(path_);
  newer[19] = 9;
  write_bytes(path_, newer);
  EXPECT_EQ(said(open()),
            fmt::format("the ledger '{}' is of a newer program, in format 9; this one reads format 1", path_.string()));
  EXPECT_EQ(Ledger::open(folder_ / "no/such", seed(), chance_).error().code, Code::io);
}

TEST_F(LedgerTest, LosesNothingWhenTheDiskIsFull) {
  fill(1);
  const pid_t child = ::fork();
  if (child == 0) {  // a limit of the file's size stands for a full disk
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{64 + 4136 + 1000, 64 + 2 * 4136 + 4136};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto ledger = open();
    const auto failed = ledger->append(entry(2));
    bool fine =
        !failed && failed.error().code == Code::io && ledger->size() == 1 && std::filesystem::file_size(path_) == 64 + 4136;
    const rlimit more{limit.rlim_max, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &more);
    fine = fine && ledger->append(entry(3)) && ledger->size() == 2;
    ::_exit(fine ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const auto ledger = open();
  ASSERT_TRUE(ledger) << ledger.error().message;
  EXPECT_EQ(ledger->entries().back(), entry(3));
}

TEST(Ledger, InMemoryKeepsEntriesAndADigest) {
  Ledger ledger = Ledger::in_memory();
  EXPECT_EQ(ledger.digest(), std::string(64, '0'));
  ASSERT_TRUE(ledger.append(entry(1)));
  EXPECT_EQ(ledger.entries().front(), entry(1));
  EXPECT_NE(ledger.digest(), std::string(64, '0'));
}

}  // namespace
}  // namespace equipoise::vault
