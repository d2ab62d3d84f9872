# What repeated_test.cpp expects, derived from trial.csv without this program. R 4.2.2; nlme 3.1-162.
suppressPackageStartupMessages(library(nlme))
raw <- read.csv("trial.csv", colClasses = c(id = "character"))
targets <- c(w4 = 28, w12 = 84, w24 = 168); before <- c(7, 14, 14)
people <- raw[!duplicated(raw$id), c("id", "arm", "site")]
day_of <- function(i, what) { d <- raw$day[raw$id == i & raw$event == what]; if (length(d)) min(d) else Inf }

long <- do.call(rbind, lapply(people$id, function(i) {
  mine <- raw[raw$id == i & !is.na(raw$cd4), ]
  base <- tail(mine$cd4[mine$day <= 0], 1)  # the rows are in order of days
  rows <- lapply(seq_along(targets), function(v) {
    near <- mine[mine$day > 0 & abs(mine$day - targets[v]) <= before[v], ]
    near <- near[order(abs(near$day - targets[v]), near$day), ]
    cd4 <- if (nrow(near)) near$cd4[1] else NA
    day <- if (nrow(near)) near$day[1] else targets[v]
    change <- cd4 - base; value <- cd4
    rescue <- day_of(i, "rescue"); death <- day_of(i, "death")
    if (rescue < day && rescue < death) change <- value <- NA    # hypothetical: not used
    if (death <= day && death < rescue) change <- 0              # composite
    data.frame(id = i, visit = names(targets)[v], change = change, cd4 = cd4, value = value, base = base, day = day)
  })
  do.call(rbind, rows)
}))
long <- merge(long, people, by = "id")
long$arm <- factor(long$arm, c("P", "L", "H")); long$visit <- factor(long$visit, names(targets))
long$v <- as.integer(long$visit); long <- long[order(long$id, long$v), ]
show <- function(label, x) cat(sprintf("%-34s %s\n", label, paste(format(x, digits = 15), collapse = " ")))

cat("observed change by arm and visit\n"); print(with(long, tapply(!is.na(change), list(arm, visit), sum)))
# nlminb, the default, stops 1e-4 of a standard error from the optimum
control <- glsControl(tolerance = 1e-13, msTol = 1e-16, maxIter = 500, msMaxIter = 2000, opt = "optim", optimMethod = "BFGS")
fit <- function(formula, data) gls(formula, data, correlation = corSymm(form = ~ v | id), weights = varIdent(form = ~ 1 | visit),
                                   method = "REML", control = control)
at_w24 <- function(m, arm) {
  b <- coef(m); V <- vcov(m); l <- setNames(rep(0, length(b)), names(b))
  l[paste0("arm", arm)] <- 1; l[paste0("arm", arm, ":visitw24")] <- 1
  c(sum(l * b), sqrt(drop(t(l) %*% V %*% l)))
}
one <- fit(change ~ arm * visit + base + site, subset(long, !is.na(change)))
for (a in c("L", "H")) show(paste("change, estimand, w24", a, "- P"), at_w24(one, a))

two <- fit(log(cd4) ~ arm * visit + log(base) + site, subset(long, !is.na(cd4)))
for (a in c("L", "H")) { e <- at_w24(two, a); show(paste("log cd4, w24", a, "/ P: log, se, ratio"), c(e, exp(e[1]))) }

# Weights: variances divided by the baseline value.
weighted <- subset(long, !is.na(cd4)); weighted$inverse <- 1 / weighted$base
m <- gls(cd4 ~ arm * visit + site, weighted, correlation = corSymm(form = ~ v | id), method = "REML", control = control,
         weights = varComb(varIdent(form = ~ 1 | visit), varFixed(~ inverse)))
for (a in c("L", "H")) show(paste("cd4 weighted, w24", a, "- P"), at_w24(m, a))

# Constrained baseline: four visits, one mean of all arms at the first.
grid <- rbind(data.frame(id = people$id, arm = factor(people$arm, c("P", "L", "H")), visit = "baseline", v = 1,
                         y = sapply(people$id, function(i) long$base[long$id == i][1])),
              with(long, data.frame(id, arm, visit, v = v + 1, y = cd4)))
grid <- grid[!is.na(grid$y), ]; grid <- grid[order(grid$id, grid$v), ]
grid$visit <- factor(grid$visit, c("baseline", names(targets)))
for (a in c("L", "H")) for (w in names(targets)) grid[[paste0(a, w)]] <- as.numeric(grid$arm == a & grid$visit == w)
three <- fit(y ~ visit + Lw4 + Lw12 + Lw24 + Hw4 + Hw12 + Hw24, grid)
for (a in c("Lw24", "Hw24")) show(paste("constrained baseline,", a), c(coef(three)[a], sqrt(vcov(three)[a, a])))
show("constrained baseline mean", c(coef(three)[1], sqrt(vcov(three)[1, 1])))

# One value a participant, last observation carried forward.
locf <- do.call(rbind, lapply(split(long, long$id), function(x) {
  seen <- which(!is.na(x$cd4)); if (!length(seen)) return(NULL)
  data.frame(x[1, c("id", "arm", "site", "base")], change = (x$cd4 - x$base)[max(seen)])
}))
four <- lm(change ~ arm + base, locf)
for (a in c("armL", "armH")) show(paste("LOCF ancova", a), summary(four)$coefficients[a, ])
cat("carried:", sum(sapply(split(long, long$id), function(x) is.na(x$cd4[3]) && any(!is.na(x$cd4)))), "\n")
cat("observed cd4:", sum(!is.na(long$cd4)), " change:", sum(!is.na(long$change)), "\n")
