#include "equipoise/vault/live_draw.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>

#include "equipoise/vault/commitment.h"
#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using testing::chi_square_limit, testing::z_of_1e_6;

/// 00 01 02 ... 1f
SecretBytes counting_seed() {
  SecretBytes seed(32);
  for (std::size_t i = 0; i < 32; ++i) seed.bytes()[i] = std::uint8_t(i);
  return seed;
}

double chi_square(std::vector<double> const& counts, double expected) {
  double sum = 0;
  for (const double count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// Expected: Python 3.11, hmac and struct, by the bytes of docs/methods/live_allocation.md.
TEST(F26_LiveDraw, HasTheWordsOfItsPage) {
  const SecretBytes bytes = counting_seed();
  const Mac seed(bytes.bytes());
  EXPECT_EQ(LiveDraw(seed, "trial", 1).word(0, 0), 0x41335d288bda9006u);
  EXPECT_EQ(LiveDraw(seed, "trial", 1).word(1, 0), 0xafc5ea95dab9e519u);
  EXPECT_EQ(LiveDraw(seed, "trial", 2).word(0, 0), 0xf2b346921ed65489u);
  EXPECT_EQ(LiveDraw(seed, "site=s1,sex=F", 1).word(0, 0), 0x99f6b028e7fafd5eu);
  EXPECT_EQ(LiveDraw(seed, "site=s1,sex=F", 1).word(0, 255), 0x5431ccdb7700281cu);
}

TEST(Message, CanBeReadInOneWayOnly) {
  EXPECT_EQ(hex(std::span(reinterpret_cast<const std::uint8_t*>(Message("draw").text("trial").number(-2).bytes().data()), 63)),
            "000000000000001665717569706f69736520616c6c6f636174696f6e2031000000000000000464726177000000000000000574726961"
            "6cfffffffffffffffe");
  EXPECT_NE(Message("a").text("bc").bytes(), Message("ab").text("c").bytes());
}

// alpha 1e-6 each; the seed is fixed, so the test always says the same.
TEST(F26_LiveDraw, WordsAreUniformInEveryByteAndNeighboursAreIndependent) {
  const Mac seed(SecretBytes(32).bytes());
  constexpr int words = 1 << 16;
  std::vector<std::vector<double>> bytes(8, std::vector<double>(256, 0.0));
  std::vector<double> pairs(256, 0.0), places(256, 0.0);
  std::uint64_t before = 0;
  for (int position = 1; position <= words; ++position) {
    const LiveDraw draw(seed, "trial", position);
    const std::uint64_t word = draw.word(0, 0), other = draw.word(1, 0);
    for (std::size_t i = 0; i < 8; ++i) ++bytes[i][word >> (8 * i) & 255];
    if (position > 1) ++pairs[(before >> 60) << 4 | word >> 60];
    ++places[(other >> 60) << 4 | word >> 60];
    before = word;
  }
  for (std::vector<double> const& counts : bytes) EXPECT_LT(chi_square(counts, words / 256.0), chi_square_limit(255, z_of_1e_6));
  EXPECT_LT(chi_square(pairs, (words - 1) / 256.0), chi_square_limit(255, z_of_1e_6));
  EXPECT_LT(chi_square(places, words / 256.0), chi_square_limit(255, z_of_1e_6));
}

// 6e5 draws: all six orders of three arms, and all thirty of 2:2:1, equally often. alpha 1e-6.
TEST(F27_LiveDraw, GivesEveryOrderOfABlockEquallyOften) {
  for (auto const& [ratio, orders] : {std::pair("", 6.0), std::pair("ratio = { a = 2, b = 2, c = 1 }\n", 30.0)}) {
    const auto rule = allocation::testing::rule(
        3, fmt::format("method = \"permuted_block\"\nblock_sizes = [{}]\n{}", orders == 6 ? 3 : 5, ratio));
    const Mac seed(counting_seed().bytes());
    const int blocks = orders == 6 ? 200'000 : 120'000;
    std::map<std::uint64_t, double> found;
    allocation::State state = rule.start();
    for (int block = 0, position = 1; block < blocks; ++block) {
      std::uint64_t order = 1;
      for (int i = 0; i < (orders == 6 ? 3 : 5); ++i)
        order = 4 * order + std::uint64_t(rule.next(state, {}, LiveDraw(seed, "trial", position++)).value());
      ++found[order];
    }
    ASSERT_EQ(double(found.size()), orders);
    std::vector<double> counts;
    for (auto const& [order, count] : found) counts.push_back(count);
    EXPECT_LT(chi_square(counts, blocks / orders), chi_square_limit(orders - 1, z_of_1e_6));
  }
}

TEST(Memory, CopiesAndDerives) {
  const SecretBytes seed = counting_seed();
  EXPECT_EQ(seed.copy().text(), seed.text());
  const Mac mac(seed.bytes());
  EXPECT_EQ(mac("abc"), hmac_sha256(seed.bytes(), "abc"));
  EXPECT_EQ(mac("abc"), mac("abc"));
  EXPECT_EQ(DerivedKey(mac, "one").bytes(), hmac_sha256(seed.bytes(), Message("one").bytes()));
  EXPECT_NE(DerivedKey(mac, "one").bytes(), DerivedKey(mac, "two").bytes());
  std::string text = "secret";
  const char* const at = text.data();
  wipe(text);
  EXPECT_EQ(text, "");
  EXPECT_EQ(at[0], '\0');
}

TEST(Memory, LeavesNoCoreDumpAndLetsNobodyLookIn) {
  const pid_t child = ::fork();
  if (child == 0) {
    forbid_looking_in();
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    ::_exit(limit.rlim_max == 0 && ::access("/proc/self/mem", R_OK) == (::geteuid() == 0 ? 0 : -1) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// Expected: Python 3.11, hashlib and hmac, by the bytes of the page.
TEST(Commitment, HasTheBytesOfItsPage) {
  const Trial trial{.id = "msc-inr", .protocol = std::string(), .environment = "live"};
  std::string digest;
  for (int i = 0; i < 32; ++i) digest += "ab";
  const Trial whole{.id = trial.id, .protocol = digest, .environment = trial.environment};
  const SecretBytes seed = counting_seed();
  const Mac mac(seed.bytes());
  EXPECT_EQ(seed_commitment(whole, seed), "062490e6a1e58b2ae4adb7d21ace2f3ba50a9f6b1f8f2e36f0a3b426254d8a5b");
  const Key32 nonce = nonce_of(mac, "trial", 1);
  EXPECT_EQ(hex(nonce), "5b288ab8f1833db0fb1d1853c41fe7281de63d56e0c723dee5193ac50827df2c");
  EXPECT_EQ(hex(leaf_of(nonce, whole, "trial", 1, "high")), "31638d960f2237acee031bb414c3579918631dcf82b2cafda90ed33665e9956e");
  const allocation::Receipt receipt{.number = 7, .participant = "s1-003", .stream = "site=s1", .position = 3};
  EXPECT_EQ(mark_of(DerivedKey(mac, mark_purpose), receipt, {0, 1}),
            "30ad6147e744ed57d8271ac1be70d5800f7ff2851ca04b213bf8b463da07f0a7");
}

}  // namespace
}  // namespace equipoise::vault
