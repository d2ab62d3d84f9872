# Writes trial.csv: a made-up trial of 3 arms x 12, as a data manager would send it. Base R 4.2.2; the seed makes it the same again.
set.seed(20261127)
ids <- 1:36
arm <- rep(c("P", "L", "H"), 12)
site <- ifelse(runif(36) < 0.5, "s1", "s2")
level <- exp(rnorm(36, log(190), 0.3))
slope <- c(P = 0, L = 0.12, H = 0.25)[arm] + rnorm(36, 0, 0.15)
rows <- NULL
add <- function(i, day, cd4 = NA, event = "") {
  rows <<- rbind(rows, data.frame(id = sprintf("%03d", i), arm = arm[i], site = site[i], day = day,
                                  cd4 = if (is.na(cd4)) "" else as.character(cd4), event = event))
}
value <- function(i, day) round(max(level[i] + slope[i] * day + rnorm(1, 0, 22), 15))
for (i in ids) {
  stop_day <- if (i %in% c(4, 11, 17, 20, 29)) sample(30:150, 1) else Inf
  add(i, -sample(1:10, 1), value(i, 0))
  if (i != 9) add(i, 0, value(i, 0))                             # 9: baseline is the value of the screening visit
  if (i == 33) { add(i, 12, event = "study_stop"); next }        # nothing after randomisation
  for (target in c(28, 84, 168)) {
    day <- target + sample(-6:6, 1)
    if (day > stop_day || runif(1) < 0.07) next
    add(i, day, value(i, day))
    if (i %in% c(2, 14, 25) && target == 84) add(i, target + 13, value(i, target + 13))  # two values in one window
  }
  if (is.finite(stop_day)) add(i, stop_day, event = "study_stop")
}
add(6, 60, event = "rescue"); add(21, 120, event = "rescue"); add(27, 84, event = "rescue")
add(8, 100, event = "treatment_stop"); add(30, 40, event = "treatment_stop")
add(12, 130, event = "death")
rows <- rows[!(rows$id == "012" & rows$day > 130), ]
rows <- rows[order(rows$id, rows$day, rows$event), ]
write.csv(rows, "trial.csv", row.names = FALSE, quote = FALSE)
