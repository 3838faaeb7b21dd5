/* What a programmer with AVX2 at hand would write: the yardstick of bar 2.
 *
 * The chain and the folds are by hand. The elementary functions are glibc's vector library, which the
 * compiler calls for such loops (libmvec: AVX2 by hand, up to 4 ulp; ours promise 1).
 * Each entry runs `rounds` times and returns the seconds of the fastest. */

#include <immintrin.h>
#include <math.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

#define FASTEST(name, type, ...)                                  \
    double name(const type *x, type *y, long n, long rounds) {    \
        double best = 1e9;                                        \
        for (long r = 0; r < rounds; r++) {                       \
            double start = now();                                 \
            __VA_ARGS__                                           \
            double took = now() - start;                          \
            if (took < best) best = took;                         \
            __asm__ volatile("" : : "r"(y), "r"(x) : "memory");   \
        }                                                         \
        return best;                                              \
    }

#define MAP(name, type, expression) \
    FASTEST(name, type, for (long i = 0; i < n; i++) y[i] = (expression);)

MAP(exp_float32, float, expf(x[i]))
MAP(log_float32, float, logf(x[i]))
MAP(log10_float32, float, log10f(x[i]))
MAP(tanh_float32, float, tanhf(x[i]))
MAP(sin_float32, float, sinf(x[i]))
MAP(cos_float32, float, cosf(x[i]))
MAP(power_float32, float, powf(x[i], 1.7f))
MAP(exp_float64, double, exp(x[i]))
MAP(log_float64, double, log(x[i]))
MAP(log10_float64, double, log10(x[i]))
MAP(tanh_float64, double, tanh(x[i]))
MAP(sin_float64, double, sin(x[i]))
MAP(cos_float64, double, cos(x[i]))
MAP(power_float64, double, pow(x[i], 1.7))

FASTEST(chain_float32, float, {
    const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    const __m256 k = _mm256_set1_ps(1.5f), c = _mm256_set1_ps(0.1f);
    const __m256 low = _mm256_set1_ps(0.2f), high = _mm256_set1_ps(1.0f);
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256 a = _mm256_and_ps(_mm256_loadu_ps(x + i), magnitude);
        __m256 b = _mm256_and_ps(_mm256_loadu_ps(x + i + 8), magnitude);
        a = _mm256_add_ps(_mm256_mul_ps(a, k), c);
        b = _mm256_add_ps(_mm256_mul_ps(b, k), c);
        _mm256_storeu_ps(y + i, _mm256_min_ps(_mm256_max_ps(a, low), high));
        _mm256_storeu_ps(y + i + 8, _mm256_min_ps(_mm256_max_ps(b, low), high));
    }
    for (; i < n; i++) y[i] = fminf(fmaxf(fabsf(x[i]) * 1.5f + 0.1f, 0.2f), 1.0f);
})

/* n is a multiple of 32 in both folds. */
FASTEST(max_float32, float, {
    __m256 a = _mm256_loadu_ps(x), b = a, c = a, d = a;
    for (long i = 0; i + 32 <= n; i += 32) {
        a = _mm256_max_ps(a, _mm256_loadu_ps(x + i));
        b = _mm256_max_ps(b, _mm256_loadu_ps(x + i + 8));
        c = _mm256_max_ps(c, _mm256_loadu_ps(x + i + 16));
        d = _mm256_max_ps(d, _mm256_loadu_ps(x + i + 24));
    }
    _mm256_storeu_ps(y, _mm256_max_ps(_mm256_max_ps(a, b), _mm256_max_ps(c, d)));
})

FASTEST(sum_float32, float, { /* accumulated in double, as ours */
    __m256d a = _mm256_setzero_pd(), b = a, c = a, d = a;
    for (long i = 0; i + 16 <= n; i += 16) {
        a = _mm256_add_pd(a, _mm256_cvtps_pd(_mm_loadu_ps(x + i)));
        b = _mm256_add_pd(b, _mm256_cvtps_pd(_mm_loadu_ps(x + i + 4)));
        c = _mm256_add_pd(c, _mm256_cvtps_pd(_mm_loadu_ps(x + i + 8)));
        d = _mm256_add_pd(d, _mm256_cvtps_pd(_mm_loadu_ps(x + i + 12)));
    }
    a = _mm256_add_pd(_mm256_add_pd(a, b), _mm256_add_pd(c, d));
    _mm_storeu_ps(y, _mm256_cvtpd_ps(a));
})
