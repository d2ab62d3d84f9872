#pragma once

#include <tl/expected.hpp>

#include "equipoise/core/error.h"

namespace equipoise {

/// A value, or the one error that prevented it.
template <class T>
using Expected = tl::expected<T, Error>;

/// A value, or *all* the problems that prevented it, in file order. Checkers of what people write return this.
template <class T>
using Checked = tl::expected<T, Problems>;

/// The failing half of an `Expected`: `return fail(Code::out_of_range, "level {} is not between 0 and 1", level);`
template <class... Args>
tl::unexpected<Error> fail(Code code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(text, std::forward<Args>(args)...), {}, {}});
}

/// The failing half of a `Checked`.
inline tl::unexpected<Problems> fail(Problems problems) { return tl::unexpected<Problems>(std::move(problems)); }

}  // namespace equipoise
