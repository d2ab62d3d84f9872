#include <array>

#include "equipoise/report/figure_data.h"

namespace equipoise::report {
namespace {

// Each draws a data frame `d` with base R alone. Colours from 2 on, in the order of the file.

constexpr std::string_view survival = R"r(arms <- unique(d$group)
plot(NULL, xlim = c(0, max(d$time)), ylim = c(0, 1), xlab = "Time", ylab = "Probability of no event", bty = "l", las = 1)
for (i in seq_along(arms)) {
  a <- d[d$group == arms[i], ]
  lines(c(0, a$time), c(1, a$survival), type = "s", col = i + 1, lwd = 2)
  cut <- a$n_censored > 0
  points(a$time[cut], a$survival[cut], pch = 3, cex = 0.6, col = i + 1)
}
legend("bottomleft", arms, col = seq_along(arms) + 1, lwd = 2, bty = "n")
)r";

constexpr std::string_view intervals = R"r(arms <- unique(d$group)
end <- max(d$from, d$to[is.finite(d$to)])
plot(NULL, xlim = c(0, end), ylim = c(0, 1), xlab = "Time", ylab = "Probability of no event", bty = "l", las = 1)
for (i in seq_along(arms)) {
  a <- d[d$group == arms[i], ]
  rect(a$from, a$survival_after, pmin(a$to, end), a$survival_before, border = i + 1)
  segments(c(0, a$to), c(1, a$survival_after), c(a$from, end), col = i + 1, lwd = 2)
}
legend("bottomleft", arms, col = seq_along(arms) + 1, lwd = 2, bty = "n")
)r";

constexpr std::string_view visits = R"r(arms <- unique(d$arm)
visits <- unique(d$visit)
x <- match(d$visit, visits)
plot(NULL, xlim = c(1, length(visits)), ylim = range(c(d$value, d$lower, d$upper), na.rm = TRUE), xaxt = "n",
     xlab = "Visit", ylab = d$quantity[1], bty = "l", las = 1)
axis(1, seq_along(visits), visits)
for (i in seq_along(arms)) {
  a <- which(d$arm == arms[i] & !is.na(d$value))
  move <- 0.04 * (i - (length(arms) + 1) / 2)
  lines(x[a] + move, d$value[a], type = "b", pch = 19, col = i + 1, lwd = 2)
  if (!is.null(d$lower)) segments(x[a] + move, d$lower[a], x[a] + move, d$upper[a], col = i + 1)
}
legend("topleft", arms, col = seq_along(arms) + 1, lwd = 2, pch = 19, bty = "n")
)r";

constexpr std::string_view flat = R"r(ratio <- grepl("_ratio$", d$quantity[1])
y <- rev(seq_len(nrow(d)))
name <- if (is.null(d$subgroup)) paste(d$analysis, d$arm) else trimws(paste(d$subgroup, d$level_of))
name <- gsub("\u2265", ">=", name)  # devices of one-byte fonts have no such sign
keep <- function(v) v[is.finite(v) & (!ratio | v > 0)]
old <- par(mar = c(4, 16, 1, 1))
plot(d$value, y, xlim = range(keep(c(d$value, d$lower, d$upper, if (ratio) 1 else 0))), log = if (ratio) "x" else "",
     pch = 15, yaxt = "n", ylab = "", xlab = d$quantity[1], bty = "l")
segments(d$lower, y, d$upper, y)
axis(2, y, name, las = 1, tick = FALSE, cex.axis = 0.8)
abline(v = if (ratio) 1 else 0, lty = 2)
par(old)
)r";

constexpr std::string_view trajectory = R"r(arms <- unique(d$group)
visits <- unique(d$visit)
d$x <- match(d$visit, visits)
old <- par(mfrow = c(1, length(arms)))
for (i in seq_along(arms)) {
  a <- d[d$group == arms[i], ]
  plot(NULL, xlim = c(1, length(visits)), ylim = range(d$value, na.rm = TRUE), xaxt = "n", xlab = "Visit", ylab = "Value",
       main = arms[i], bty = "l", las = 1)
  axis(1, seq_along(visits), visits)
  for (one in split(a, a$participant)) lines(one$x, one$value, col = "grey70")
  m <- tapply(a$value, a$x, mean)
  lines(as.numeric(names(m)), m, type = "b", pch = 19, lwd = 3, col = i + 1)
}
par(old)
)r";

constexpr std::string_view waterfall = R"r(arms <- unique(d$group)
old <- par(mfrow = c(1, length(arms)))
for (i in seq_along(arms))
  barplot(sort(d$value[d$group == arms[i]], decreasing = TRUE), ylim = range(c(0, d$value)), col = i + 1, border = NA,
          main = arms[i], ylab = "Value", las = 1)
par(old)
)r";

constexpr std::string_view heat = R"r(arms <- unique(d$group)
visits <- unique(d$visit)
old <- par(mfrow = c(1, length(arms)))
for (i in seq_along(arms)) {
  a <- d[d$group == arms[i], ]
  m <- tapply(a$value, list(a$participant, factor(a$visit, visits)), mean)
  last <- apply(m, 1, function(v) tail(v[!is.na(v)], 1))
  image(seq_along(visits), seq_len(nrow(m)), t(m[order(last), , drop = FALSE]), zlim = range(d$value, na.rm = TRUE),
        col = hcl.colors(64, "Blue-Red"), xaxt = "n", yaxt = "n", xlab = "Visit", ylab = "Participants", main = arms[i])
  axis(1, seq_along(visits), visits)
}
par(old)
)r";

constexpr std::string_view patterns = R"r(arms <- unique(d$group)
visits <- unique(d$visit)
old <- par(mfrow = c(1, length(arms)))
for (i in seq_along(arms)) {
  a <- d[d$group == arms[i], ]
  m <- tapply(a$observed, list(a$pattern, factor(a$visit, visits)), max)
  image(seq_along(visits), seq_len(nrow(m)), t(m), zlim = c(0, 1), col = c("white", "grey40"), xaxt = "n", yaxt = "n", xlab = "Visit",
        ylab = "", main = arms[i])
  axis(1, seq_along(visits), visits)
  axis(2, seq_len(nrow(m)), tapply(a$participants, a$pattern, max), las = 1)
}
par(old)
)r";

constexpr std::string_view tipping = R"r(a <- d[d$arm == d$arm[1], ]
if (length(unique(a$delta)) > 1 && length(unique(a$delta_reference)) > 1 && anyDuplicated(a$delta)) {
  m <- tapply(a$p, list(a$delta, a$delta_reference), mean)
  image(as.numeric(rownames(m)), as.numeric(colnames(m)), m, col = hcl.colors(32, "Blue-Yellow"), xlab = "Shift in the arm",
        ylab = "Shift in the control")
  contour(as.numeric(rownames(m)), as.numeric(colnames(m)), m, levels = 0.05, add = TRUE)
} else {
  x <- if (length(unique(a$delta)) > 1) a$delta else a$delta_reference
  plot(x, a$p, type = "b", pch = 19, log = "y", xlab = "Shift of imputed values", ylab = "P", bty = "l", las = 1)
  abline(h = 0.05, lty = 2)
}
)r";

constexpr std::string_view residuals = R"r(old <- par(mfrow = c(1, 2))
plot(d$fitted, d$scaled_residual, xlab = "Fitted", ylab = "Scaled residual", cex = 0.5, bty = "l", las = 1)
abline(h = 0, lty = 2)
qqnorm(d$scaled_residual, main = "", cex = 0.5, bty = "l")
abline(0, 1, lty = 2)
par(old)
)r";

constexpr std::string_view covariance = R"r(visits <- unique(c(d$row, d$column))
m <- matrix(NA, length(visits), length(visits), dimnames = list(visits, visits))
m[cbind(match(d$row, visits), match(d$column, visits))] <- d$value
m[cbind(match(d$column, visits), match(d$row, visits))] <- d$value
r <- cov2cor(m)
print(round(r, 2))
image(seq_along(visits), seq_along(visits), r, zlim = c(-1, 1), col = hcl.colors(32, "Blue-Red"), xaxt = "n", yaxt = "n", xlab = "",
      ylab = "")
axis(1, seq_along(visits), visits)
axis(2, seq_along(visits), visits, las = 1)
)r";

constexpr std::string_view dose = R"r(d <- d[order(d$dose), ]
plot(d$dose, d$value, type = "b", pch = 19, lty = 2, ylim = range(c(d$value, d$lower, d$upper), na.rm = TRUE), xlab = "Dose",
     ylab = d$quantity[1], bty = "l", las = 1)
segments(d$dose, d$lower, d$dose, d$upper)
text(d$dose, d$value, d$arm, pos = 4, xpd = NA)
)r";

constexpr std::string_view flow = R"r(m <- xtabs(n ~ paste(stage, detail) + arm, d)
print(m)
a <- d[d$stage %in% c("randomised", "completed", "analysed"), ]
old <- par(mar = c(4, 12, 1, 1))
barplot(t(xtabs(n ~ factor(trimws(paste(stage, detail)), rev(unique(trimws(paste(stage, detail))))) + arm, a)), beside = TRUE,
        horiz = TRUE, las = 1, xlab = "Participants", legend.text = TRUE)
par(old)
)r";

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> plots{{{"survival", survival},
                                                                               {"intervals", intervals},
                                                                               {"visits", visits},
                                                                               {"flat", flat},
                                                                               {"trajectory", trajectory},
                                                                               {"waterfall", waterfall},
                                                                               {"heat", heat},
                                                                               {"patterns", patterns},
                                                                               {"tipping", tipping},
                                                                               {"residuals", residuals},
                                                                               {"covariance", covariance},
                                                                               {"dose", dose},
                                                                               {"flow", flow}}};

}  // namespace

std::string_view r_plot(std::string_view kind) {
  for (auto const& [name, code] : plots)
    if (name == kind) return code;
  return {};
}

}  // namespace equipoise::report
