// Exact percentiles: every latency is kept, and sorted at the end.
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double percentile_ms(const int64_t *sorted, size_t count, double fraction) {
    size_t index = (size_t)(fraction * (double)count);
    if (index >= count) index = count - 1;
    return (double)sorted[index] / 1e6;
}

void print_percentiles(const char *name, int64_t *values, size_t count) {
    static const struct { const char *name; double fraction; } wanted[] = {
        {"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999},
        {"p99.99", 0.9999}, {"max", 1.0},
    };
    printf(", \"%s\": {\"count\": %zu", name, count);
    if (count > 0) {
        qsort(values, count, sizeof *values, compare);
        for (size_t index = 0; index < sizeof wanted / sizeof *wanted; index++) {
            printf(
                ", \"%s\": %.4f", wanted[index].name,
                percentile_ms(values, count, wanted[index].fraction));
        }
    }
    printf("}");
}

// One line for each of some hundreds of steps: the fraction, and the milliseconds not exceeded.
void write_distribution(const char *path, const int64_t *sorted, size_t count) {
    FILE *file = path && count > 0 ? fopen(path, "w") : NULL;
    if (!file) return;
    for (double rest = 1; rest * (double)count >= 1; rest *= 0.97) {
        fprintf(file, "%.7f\t%.4f\n", 1 - rest, percentile_ms(sorted, count, 1 - rest));
    }
    fprintf(file, "1.0000000\t%.4f\n", percentile_ms(sorted, count, 1));
    fclose(file);
}
