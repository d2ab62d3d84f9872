#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "equipoise/store/testing.h"

/// What every EventStore keeps, as one suite: an implementation instantiates it with a way to open logs. One test file of a
/// program includes this.
namespace equipoise::store::testing {

/// One log, empty at first, which instances of the store are opened on.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  /// Opens the log; what was stored before is there when `survives`.
  virtual std::unique_ptr<EventStore> open() = 0;
  /// A second instance while the first is open; or the error with which it is refused.
  virtual Expected<std::unique_ptr<EventStore>> second() = 0;
  virtual bool survives() const = 0;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<LogUnderTest>()> make;
};

class EventStoreContract : public ::testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override {
    log_ = GetParam().make();
    store_ = log_->open();
    ASSERT_NE(store_, nullptr);
  }
  EventStore& store() { return *store_; }
  LogUnderTest& log() { return *log_; }
  /// Closes the store and opens it again, if what it holds survives that.
  void again() {
    if (!log_->survives()) return;
    store_.reset();
    store_ = log_->open();
    ASSERT_NE(store_, nullptr);
  }

 private:
  std::unique_ptr<LogUnderTest> log_;
  std::unique_ptr<EventStore> store_;
};

TEST_P(EventStoreContract, ANewLogIsEmpty) {
  EXPECT_EQ(store().last(), 0);
  EXPECT_TRUE(contents(store()).empty());
  EXPECT_FALSE(store().done("k").value().has_value());
  EXPECT_FALSE(store().text(sha256("no text")).value().has_value());
  EXPECT_FALSE(store().document(sha256("no document")).value().has_value());
  again();
  EXPECT_EQ(store().last(), 0);
}

TEST_P(EventStoreContract, C01_EventsAreReadInTheOrderInWhichTheyWereAdded) {
  must(store().append(0, act("a", 0, 3)));
  must(store().append(3, act("b", 3, 1)));
  must(store().append(4, act("c", 4, 2)));
  const std::vector<std::string> all{"event 1 of a", "event 2 of a", "event 3 of a",
                                     "event 1 of b", "event 1 of c", "event 2 of c"};
  for (int round = 0; round < 2; ++round, again()) {
    EXPECT_EQ(store().last(), 6);
    EXPECT_EQ(contents(store()), all);
    EXPECT_EQ(contents(store(), 4), (std::vector<std::string>{"event 1 of c", "event 2 of c"}));
    EXPECT_TRUE(contents(store(), 6).empty());
    EXPECT_TRUE(contents(store(), 60).empty());
    EXPECT_EQ(contents(store(), -3), all);
    const auto done = store().done("b").value();
    ASSERT_TRUE(done);
    EXPECT_EQ(done->request, sha256("request b"));
    EXPECT_EQ(done->first, 4);
    EXPECT_EQ(done->last, 4);
    EXPECT_EQ(store().done("c").value()->first, 5);
    EXPECT_EQ(store().done("c").value()->last, 6);
  }
}

TEST_P(EventStoreContract, RefusesAStaleWriter) {
  must(store().append(0, act("a", 0, 2)));
  EXPECT_EQ(code_of(store().append(0, act("b", 0))), Code::conflict);
  EXPECT_EQ(code_of(store().append(1, act("b", 1))), Code::conflict);
  EXPECT_EQ(code_of(store().append(3, act("b", 3))), Code::conflict);  // a hole is no log either
  EXPECT_EQ(store().last(), 2);
  must(store().append(2, act("b", 2)));
}

TEST_P(EventStoreContract, C26_AKeyIsUsedOnce) {
  must(store().append(0, act("a", 0)));
  EXPECT_EQ(code_of(store().append(1, act("a", 1))), Code::conflict);
  again();
  EXPECT_EQ(code_of(store().append(1, act("a", 1))), Code::conflict);
  EXPECT_EQ(store().done("a").value()->first, 1);
  must(store().append(1, act("A", 1)));  // another key: case counts
  must(store().append(2, act("a ", 2)));
  must(store().append(3, act("", 3)));
  EXPECT_EQ(code_of(store().append(4, act("", 4))), Code::conflict);
}

TEST_P(EventStoreContract, C26_WhatHappensOnceDoesNotHappenTwice) {
  Act first = act("a", 0);
  first.once = {{"allocation", "trial/17"}, {"randomised", "s1-003"}};
  must(store().append(0, first));
  Act second = act("b", 1);
  second.once = {{"kit", "4711"}, {"randomised", "s1-003"}};
  EXPECT_EQ(code_of(store().append(1, second)), Code::conflict);
  again();
  EXPECT_EQ(code_of(store().append(1, second)), Code::conflict);
  second.once = {{"kit", "4711"}, {"kit", "4711"}};
  EXPECT_EQ(code_of(store().append(1, second)), Code::conflict);
  second.once = {{"kit", "4711"}, {"allocation", "s1-003"}, {"randomised", "trial/17"}, {"", ""}};  // a kind of its own each
  must(store().append(1, second));
  Act third = act("c", 2);
  third.once = {{"", ""}};
  EXPECT_EQ(code_of(store().append(2, third)), Code::conflict);
}

TEST_P(EventStoreContract, C02_AnActIsAddedWholeOrNotAtAll) {
  Act before = act("before", 0);
  before.once = {{"kit", "1"}};
  before.texts = {text("kept"), text("gone")};
  must(store().append(0, before));
  Act redaction = act("redaction", 1);
  redaction.destroyed = {text("gone").id};
  must(store().append(1, redaction));

  const auto attempt = [](auto const& spoil) {
    Act whole = act("attempt", 2, 2);
    whole.once = {{"kit", "2"}};
    whole.texts = {text("new")};
    whole.destroyed = {text("kept").id};
    spoil(whole);
    return whole;
  };
  const std::pair<char const*, Act> attempts[] = {
      {"a stale position", attempt([](Act& a) { a.events = {event(2, "x")}; })},
      {"a key that is taken", attempt([](Act& a) { a.key = "before"; })},
      {"something that has happened", attempt([](Act& a) {
         a.once.push_back({"kit", "1"});
       })},
      {"something twice", attempt([](Act& a) {
         a.once.push_back({"kit", "2"});
       })},
      {"a text that is there", attempt([](Act& a) { a.texts.push_back(text("kept")); })},
      {"a text twice", attempt([](Act& a) { a.texts.push_back(text("new")); })},
      {"a text that is gone", attempt([](Act& a) { a.texts.push_back(text("gone")); })},
      {"to destroy what is not there", attempt([](Act& a) { a.destroyed.push_back(text("never").id); })},
      {"to destroy what is gone", attempt([](Act& a) { a.destroyed.push_back(text("gone").id); })},
      {"to destroy twice", attempt([](Act& a) { a.destroyed.push_back(text("kept").id); })},
  };
  for (auto const& [why, spoilt] : attempts) {
    SCOPED_TRACE(why);
    EXPECT_EQ(code_of(store().append(spoilt.events.front().sequence - 1, spoilt)), Code::conflict);
    EXPECT_EQ(store().last(), 2);
    EXPECT_EQ(contents(store()).size(), 2u);
    EXPECT_FALSE(store().done("attempt").value().has_value());
    EXPECT_FALSE(store().text(text("new").id).value().has_value());
    EXPECT_TRUE(store().text(text("kept").id).value().has_value());
  }
  again();
  must(store().append(2, attempt([](Act&) {})));  // nothing of the attempts stands in its way
  EXPECT_EQ(store().last(), 4);
  EXPECT_TRUE(store().text(text("new").id).value().has_value());
  EXPECT_FALSE(store().text(text("kept").id).value().has_value());
}

TEST_P(EventStoreContract, TextsAreKeptApartAndDestroyedWithTheActThatSaysSo) {
  Act first = act("a", 0);
  first.texts = {text("one"), text("two"), text("")};
  must(store().append(0, first));
  for (int round = 0; round < 2; ++round, again())
    for (char const* words : {"one", "two", ""}) {
      const auto found = store().text(text(words).id).value();
      ASSERT_TRUE(found) << words;
      EXPECT_EQ(found->id, text(words).id);
      EXPECT_EQ(found->key, text(words).key);
      EXPECT_EQ(found->text, words);
    }
  Act second = act("b", 1);
  second.destroyed = {text("one").id, text("").id};
  must(store().append(1, second));
  for (int round = 0; round < 2; ++round, again()) {
    EXPECT_FALSE(store().text(text("one").id).value().has_value());
    EXPECT_FALSE(store().text(text("").id).value().has_value());
    EXPECT_EQ(store().text(text("two").id).value()->text, "two");
    EXPECT_EQ(contents(store()).size(), 2u);  // the events that name them stay
  }
}

TEST_P(EventStoreContract, AnActMayHaveNoEvents) {
  Act first = act("a", 0, 0);
  first.texts = {text("one")};
  must(store().append(0, first));
  EXPECT_EQ(store().last(), 0);
  EXPECT_EQ(store().done("a").value()->first, 1);
  EXPECT_EQ(store().done("a").value()->last, 0);
  EXPECT_EQ(code_of(store().append(0, first)), Code::conflict);
}

TEST_P(EventStoreContract, DocumentsAreKeptByTheirDigest) {
  const Document one{sha256("protocol 1"), "protocol 1"}, two{sha256("protocol 2"), "protocol 2"}, empty{sha256(""), ""};
  for (Document const& document : {one, two, empty, one}) must(store().put(document));
  for (int round = 0; round < 2; ++round, again())
    for (Document const& document : {one, two, empty}) {
      const auto found = store().document(document.digest).value();
      ASSERT_TRUE(found);
      EXPECT_EQ(found->digest, document.digest);
      EXPECT_EQ(found->bytes, document.bytes);
    }
  EXPECT_THROW((void)store().put({one.digest, "something else"}), ContractViolation);
  EXPECT_EQ(store().last(), 0);
}

TEST_P(EventStoreContract, F20_AppendsOfAnEarlierHolderOfTheLeaseFail) {
  EXPECT_EQ(store().take_lease().value(), 1);
  must(store().append(0, act("a", 0)));
  auto other = log().second();
  if (!other) {  // it cannot even be opened
    EXPECT_EQ(other.error().code, Code::unavailable);
    must(store().append(1, act("b", 1)));
    EXPECT_EQ(store().take_lease().value(), 2);
    must(store().append(2, act("c", 2)));
    again();
    EXPECT_EQ(code_of(store().append(3, act("d", 3))), Code::conflict);  // a lease is taken, and not found
    EXPECT_EQ(store().take_lease().value(), 3);
    must(store().append(3, act("d", 3)));
    return;
  }
  EXPECT_EQ(code_of((*other)->append(1, act("b", 1))), Code::conflict);  // never had it
  EXPECT_EQ((*other)->take_lease().value(), 2);
  EXPECT_EQ((*other)->last(), 1);
  EXPECT_EQ(code_of(store().append(1, act("c", 1))), Code::conflict);
  EXPECT_EQ(code_of(store().put({sha256("x"), "x"})), Code::conflict);
  EXPECT_FALSE(store().done("c").value().has_value());
  must((*other)->append(1, act("b", 1)));
  EXPECT_EQ(code_of(store().append(2, act("c", 2))), Code::conflict);
  EXPECT_EQ(store().take_lease().value(), 3);
  EXPECT_EQ(store().last(), 2);
  must(store().append(2, act("c", 2)));
  EXPECT_EQ(code_of((*other)->append(3, act("d", 3))), Code::conflict);
}

TEST_P(EventStoreContract, ALongLogIsReadInPiecesAndAVisitorMayStopAskAndAppend) {
  constexpr int events = 2100;  // some pieces
  must(store().append(0, act("a", 0, events)));
  Sequence seen = 0;
  const auto up_to = [&](Sequence end) {
    return [&, end](StoredEvent const& stored) {
      EXPECT_EQ(stored.sequence, seen + 1);
      seen = stored.sequence;
      return seen < end;
    };
  };
  must(store().read(seen, up_to(1)));
  EXPECT_EQ(seen, 1);
  must(store().read(seen, up_to(700)));
  EXPECT_EQ(seen, 700);
  must(store().read(seen, up_to(events + 10)));
  EXPECT_EQ(seen, events);

  int visited = 0;
  must(store().read(0, [&](StoredEvent const& stored) {
    ++visited;
    if (stored.sequence % 1000 == 0) {
      const Sequence end = store().last();
      EXPECT_TRUE(store().done("a").value().has_value());
      must(store().append(end, act(fmt::format("b{}", stored.sequence), end)));
    }
    return true;
  }));
  EXPECT_EQ(visited, events) << "what was there when it was called";
  EXPECT_EQ(store().last(), events + 2);
}

TEST_P(EventStoreContract, LargeTextsAndEventsKeepEveryByte) {
  std::string large(5'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = char(i * 2654435761u >> 13);
  Act first = act("a", 0);
  first.events.push_back(event(2, large.substr(0, 1'500'000)));
  first.events.push_back(event(3, "small"));
  first.texts = {text(large)};
  must(store().append(0, first));
  must(store().put({sha256(large), large}));
  again();
  EXPECT_EQ(store().text(text(large).id).value()->text, large);
  EXPECT_EQ(store().document(sha256(large)).value()->bytes, large);
  EXPECT_EQ(contents(store())[1], large.substr(0, 1'500'000));
  Act second = act("b", 3);
  second.destroyed = {text(large).id};
  must(store().append(3, second));
  again();
  EXPECT_FALSE(store().text(text(large).id).value().has_value());
}

TEST_P(EventStoreContract, EveryByteComesBackWhateverItMeans) {
  using namespace std::string_literals;
  const std::vector<std::string> hostile{"\0"s,           "a\0b"s,     "a\0c"s,         "a"s,
                                         "\xff\xfe"s,     "\xc3\x28"s, "\xed\xa0\x80"s, "'; DROP TABLE event; --"s,
                                         "\xe4\xb8\xad"s, "%00"s,      "\r\n"s,         std::string(3000, '\x80')};
  Sequence end = 0;
  for (std::string const& bytes : hostile) {
    Act one = act(bytes, end);
    one.request = bytes;
    one.events = {event(end + 1, bytes)};
    one.texts = {{bytes, bytes, bytes}};
    one.once = {{bytes, bytes}};
    must(store().append(end++, one));
    must(store().put({sha256(bytes), bytes}));
  }
  again();
  EXPECT_EQ(contents(store()), hostile);
  Sequence place = 0;
  for (std::string const& bytes : hostile) {
    const auto done = store().done(bytes).value();
    ASSERT_TRUE(done);
    EXPECT_EQ(done->request, bytes);
    EXPECT_EQ(done->first, ++place);
    const auto found = store().text(bytes).value();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, bytes);
    EXPECT_EQ(found->key, bytes);
    EXPECT_EQ(found->text, bytes);
    EXPECT_EQ(store().document(sha256(bytes)).value()->bytes, bytes);
    EXPECT_FALSE(store().document(bytes).value().has_value());
    Act again = act("again " + bytes, end);
    again.once = {{bytes, bytes}};
    EXPECT_EQ(code_of(store().append(end, again)), Code::conflict);
    EXPECT_EQ(code_of(store().append(end, act(bytes, end))), Code::conflict);
  }
  Act redaction = act("redaction", end);
  redaction.destroyed = hostile;
  must(store().append(end, redaction));
  for (std::string const& bytes : hostile) EXPECT_FALSE(store().text(bytes).value().has_value());
}

TEST_P(EventStoreContract, EventsOutOfPlaceOrWithAnotherDigestAreABrokenPromise) {
  Act wrong = act("a", 0, 2);
  std::swap(wrong.events[0], wrong.events[1]);
  EXPECT_THROW((void)store().append(0, wrong), ContractViolation);
  EXPECT_THROW((void)store().append(1, act("a", 0, 2)), ContractViolation);
  EXPECT_THROW((void)store().append(-1, act("a", -1, 2)), ContractViolation);
  wrong = act("a", 0, 2);
  wrong.events[1].digest = sha256("something else");
  EXPECT_THROW((void)store().append(0, wrong), ContractViolation);
  EXPECT_EQ(store().last(), 0);
  must(store().append(0, act("a", 0, 2)));
}

TEST_P(EventStoreContract, F10_OfWritersAtOnceEachIsAddedOnceAndTheLogHasNoHole) {
  constexpr int writers = 4, acts = 25;
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < writers; ++writer)
    threads.emplace_back([this, writer] {
      for (int i = 0; i < acts; ++i) {
        Code code = Code::conflict;
        while (code == Code::conflict) {
          const Sequence end = store().last();
          Act one = act(fmt::format("{}/{}", writer, i), end, 2);
          one.once = {{"slot", fmt::format("{}", end)}};
          const auto added = store().append(end, one);
          if (added) break;
          code = added.error().code;
        }
        EXPECT_EQ(code, Code::conflict);
        EXPECT_GE(contents(store()).size(), 2u);
      }
    });
  threads.clear();
  EXPECT_EQ(store().last(), 2 * writers * acts);
  EXPECT_EQ(contents(store()).size(), std::size_t(2 * writers * acts));
  for (int writer = 0; writer < writers; ++writer)
    for (int i = 0; i < acts; ++i) {
      const auto done = store().done(fmt::format("{}/{}", writer, i)).value();
      ASSERT_TRUE(done);
      EXPECT_EQ(done->last, done->first + 1);
    }
}

}  // namespace equipoise::store::testing
