# Rscript make_cases.R > cases.jsonl, in this folder: adjusted p values by p.adjust; of graphs by closed testing, every intersection
# weighted by the paper's update of the graph; simultaneous limits by their formulas. See README.md for the tolerances.
source("../case_writer.R")

at_index <- function(i) list(index = i)
adjusted_values <- function(adjusted, alpha, tol)
  unlist(lapply(seq_along(adjusted), function(i) list(
    value("adjusted_p", adjusted[i], tol, at_index(i)),
    value("rejected", as.numeric(!is.na(adjusted[i]) && adjusted[i] <= alpha), 0, at_index(i)))), recursive = FALSE)

sets <- list(
  six = c(0.0121, 0.0412, 0.0139, 0.0003, 0.2205, 0.049),
  hommel = c(0.024, 0.0251, 0.026, 0.04, 0.0402),
  ties = c(0.01, 0.02, 0.01, 0.02, 0.02, 0.9),
  edges = c(0, 1, 1, 0.5, 1e-300),
  one = 0.04)
names_in_r <- c(bonferroni = "bonferroni", holm = "holm", hochberg = "hochberg", hommel = "hommel", benjamini_hochberg = "BH")
for (set in names(sets)) for (method in names(names_in_r)) {
  p <- sets[[set]]
  write_case(paste("multiplicity", method, set, sep = "."), method, NULL, NULL,
             adjusted_values(p.adjust(p, names_in_r[[method]]), 0.05, 1e-14),
             sprintf("p.adjust(p, \"%s\")", names_in_r[[method]]), list(p = as.list(p), alpha = 0.05))
}
# A p value that is not estimable counts as 1: p.adjust is given 1 in its place (it would leave an NA out of the count).
p <- c(0.012, NA, 0.03, 0.004)
for (method in names(names_in_r)) {
  adjusted <- p.adjust(ifelse(is.na(p), 1, p), names_in_r[[method]])
  adjusted[is.na(p)] <- NA
  write_case(paste("multiplicity", method, "not_estimable", sep = "."), method, NULL, NULL, adjusted_values(adjusted, 0.05, 1e-14),
             sprintf("p.adjust(p, \"%s\") with 1 for NE", names_in_r[[method]]),
             list(p = lapply(p, function(x) if (is.na(x)) "NE" else x), alpha = 0.05))
}

# Weights of the hypotheses `keep` once all others are taken out of the graph: Bretz et al. (2009), algorithm 1.
weights_of <- function(keep, w, g) {
  m <- length(w)
  for (i in setdiff(seq_len(m), keep)) {
    w <- w + w[i] * g[i, ]; w[i] <- 0
    new <- matrix(0, m, m)
    for (j in seq_len(m)) for (k in seq_len(m)) if (j != i && k != i && j != k && g[j, i] * g[i, j] < 1)
      new[j, k] <- (g[j, k] + g[j, i] * g[i, k]) / (1 - g[j, i] * g[i, j])
    g <- new
  }
  w
}
# Closed testing: adjusted p of i is the largest p of an intersection that holds i; an intersection's p is min p_j / w_j.
closed <- function(p, w, g) {
  m <- length(p); adjusted <- rep(0, m)
  for (bits in seq_len(2^m - 1)) {
    keep <- which(bitwAnd(bits, 2^(0:(m - 1))) > 0)
    local <- weights_of(keep, w, g)[keep]
    of_set <- min(1, ifelse(local > 0, p[keep] / local, Inf))
    adjusted[keep] <- pmax(adjusted[keep], of_set)
  }
  adjusted
}
graph_case <- function(name, p, w, g, epsilon = NULL) {
  rows <- lapply(seq_len(nrow(g)), function(i) as.list(g[i, ]))
  small <- g
  tol <- 1e-13
  if (!is.null(epsilon)) {  # an edge of epsilon is one of 1e-9 here; a full row gives way to it
    for (e in epsilon) { rows[[e[1]]][[e[2]]] <- "epsilon"; small[e[1], e[2]] <- 1e-9 }
    small <- t(apply(small, 1, function(r) if (sum(r) > 1) r / sum(r) else r))
    tol <- 1e-7
  }
  write_case(paste("multiplicity.graphical", name, sep = "."), "graphical", NULL, NULL,
             adjusted_values(closed(p, w, small), 0.05, tol), "closed testing with the weights of Bretz et al. (2009)",
             list(p = as.list(p), weights = as.list(w), transitions = rows, alpha = 0.05))
}
row <- function(...) rbind(...)
graph_case("parallel", c(0.011, 0.04, 0.03, 0.021), c(0.5, 0.5, 0, 0),
           row(c(0, 0, 0.5, 0.5), c(0, 0, 0.5, 0.5), c(0, 0, 0, 1), c(0, 0, 1, 0)))
graph_case("successive", c(0.01, 0.03, 0.02, 0.2), c(0.5, 0.5, 0, 0),
           row(c(0, 0.5, 0.5, 0), c(0.5, 0, 0, 0.5), c(0, 1, 0, 0), c(1, 0, 0, 0)))
graph_case("fixed_sequence", c(0.01, 0.049, 0.02, 0.06, 0.001), c(1, 0, 0, 0, 0),
           row(c(0, 1, 0, 0, 0), c(0, 0, 1, 0, 0), c(0, 0, 0, 1, 0), c(0, 0, 0, 0, 1), rep(0, 5)))
graph_case("fallback", c(0.03, 0.02, 0.045), c(0.5, 0.25, 0.25), row(c(0, 1, 0), c(0, 0, 1), c(0, 0, 0)))
graph_case("part_of_alpha", c(0.01, 0.02, 0.03), c(0.4, 0.3, 0.1), row(c(0, 0.5, 0.25), c(0.2, 0, 0.3), c(1/3, 1/3, 0)))
graph_case("epsilon_return", c(0.02, 0.01, 0.012, 0.044), c(0.5, 0.5, 0, 0),
           row(c(0, 0, 1, 0), c(0, 0, 0, 1), c(0, 0, 0, 0), c(0, 0, 0, 0)), list(c(3, 2), c(4, 1), c(1, 2), c(2, 1)))

# Simultaneous two-sided limits of normal or t effects: each side at alpha/2.
p_of <- function(x, s, d) 2 * pt(-abs(x / s), d)
side <- function(x, s, d, w, g, alpha, sign) {  # limits of sign * x from below, one-sided level alpha
  x <- sign * x
  p <- ifelse(x > 0, p_of(x, s, d) / 2, 1)
  rejected <- closed(p, w, g) <= alpha
  if (all(rejected)) return(pmax(0, x + qt(alpha * w, d) * s))
  left <- weights_of(which(!rejected), w, g)
  ifelse(rejected, 0, x + qt(alpha * left, d) * s)
}
limits_case <- function(name, method, x, s, d, w, g, alpha, options = NULL, adjusted) {
  if (method == "bonferroni") {
    lower <- x + qt(alpha / 2 / length(x), d) * s
    upper <- x - qt(alpha / 2 / length(x), d) * s
  } else {
    lower <- side(x, s, d, w, g, alpha / 2, 1)
    upper <- -side(x, s, d, w, g, alpha / 2, -1)
  }
  expect <- adjusted_values(adjusted, alpha, 1e-10)
  limit <- function(quantity, at, i) if (is.finite(at)) list(value(quantity, at, if (at == 0) 0 else 1e-10, at_index(i)))
  for (i in seq_along(x))  # the format has no infinite value: limits of a hypothesis without weight are left to a unit test
    expect <- c(expect, list(value("p", p_of(x[i], s[i], d[i]), 1e-11, at_index(i))),
                limit("lower", lower[i], i), limit("upper", upper[i], i))
  given <- c(list(estimates = as.list(x), standard_errors = as.list(s), alpha = alpha), options)
  if (all(is.finite(d))) given$df <- as.list(d)
  write_case(paste("multiplicity", method, name, sep = "."), method, NULL, NULL, expect,
             "limits of Strassburger & Bretz (2008), each side at alpha/2, with closed testing", given)
}
holm_w <- rep(1/3, 3); holm_g <- (matrix(1, 3, 3) - diag(3)) / 2
x <- c(2.9, 1.2, 2.5); s <- c(1, 1, 1); d <- rep(Inf, 3); p <- p_of(x, s, d)
limits_case("limits", "bonferroni", x, s, d, NULL, NULL, 0.05, adjusted = p.adjust(p, "bonferroni"))
limits_case("limits_some_rejected", "holm", x, s, d, holm_w, holm_g, 0.05, adjusted = p.adjust(p, "holm"))
x <- c(5.2, 4.1, 6.3); d <- c(20, 25, 18); s <- c(1.5, 1.2, 2); p <- p_of(x, s, d)
limits_case("limits_all_rejected", "holm", x, s, d, holm_w, holm_g, 0.05, adjusted = p.adjust(p, "holm"))
x <- c(-2.3, -2.1, -0.4); s <- c(0.9, 1, 0.8); d <- c(40, 40, 40); p <- p_of(x, s, d)
w <- c(0.5, 0.5, 0); g <- row(c(0, 0.5, 0.5), c(0.5, 0, 0.5), c(0.5, 0.5, 0))
limits_case("limits", "graphical", x, s, d, w, g, 0.1, list(weights = as.list(w), transitions = lapply(1:3, function(i) as.list(g[i, ]))),
            adjusted = closed(p, w, g))
