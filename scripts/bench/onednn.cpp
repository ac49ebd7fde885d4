// The bfloat16 products of `st-bench kernels` by Debian's oneDNN, one thread: `make bench-onednn`
// prints both. As there, what the layers hand each other is float32: the left operand is rounded
// before a product, weights are rounded and laid out beforehand, both operands of a weight's gradient
// are rounded, and the gradient is added to.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <dnnl.hpp>
#include <functional>
#include <vector>

using namespace dnnl;
using tag = memory::format_tag;
using type = memory::data_type;

static const engine cpu(engine::kind::cpu, 0);
static stream queue(cpu);

static memory numbers(const memory::desc &shape) {
    memory made(shape, cpu);
    float *values = static_cast<float *>(made.get_data_handle());
    for (size_t i = 0; i < shape.get_size() / sizeof *values; i++)
        values[i] = static_cast<float>(i * 7919 % 1000) / 1000 - 0.5f;
    return made;
}

static void report(const char *name, long m, long k, long n, const std::function<void()> &body) {
    std::vector<double> times;
    for (int run = 0; run < 43; run++) {
        const auto start = std::chrono::steady_clock::now();
        body();
        queue.wait();
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
        if (run > 1) times.push_back(time.count());
    }
    std::sort(times.begin(), times.end());
    const double median = times[times.size() / 2];
    std::printf(
        "%-34s %-22s %.3f ms  %.0f GFLOP/s\n", name,
        (std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n)).c_str(),
        median * 1e3, 2e-9 * m * k * n / median);
}

/// c [m, n] = a · b, or +=; a and b are read as `aTag` and `bTag` say.
static void product(
    const char *name, long m, long k, long n, const memory::desc &a, const memory::desc &b,
    tag aTag, bool isGradient) {
    const memory::desc c({m, n}, type::f32, tag::ab);
    const memory::desc left({m, k}, type::bf16, aTag);
    const memory::desc right({k, n}, type::bf16, tag::any);
    primitive_attr attributes;
    if (isGradient) {
        post_ops after;
        after.append_sum(1);
        attributes.set_post_ops(after);
    }
    const matmul::primitive_desc made(matmul::desc(left, right, c), attributes, cpu);
    const matmul multiply(made);
    memory from = numbers(a), other = numbers(b), to = numbers(c);
    memory rounded(left, cpu), laidOut(made.weights_desc(), cpu);
    reorder round(from, rounded), layOut(other, laidOut);
    layOut.execute(queue, other, laidOut);
    report(name, m, k, n, [&] {
        round.execute(queue, from, rounded);
        if (isGradient) layOut.execute(queue, other, laidOut);
        multiply.execute(
            queue,
            {{DNNL_ARG_SRC, rounded}, {DNNL_ARG_WEIGHTS, laidOut}, {DNNL_ARG_DST, to}});
    });
}

int main() {
    const long tokens = 320, rows = 2240, hidden = 384, wide = 1536;
    const dnnl_version_t *version = dnnl_version();
    std::printf("oneDNN %d.%d.%d\n", version->major, version->minor, version->patch);
    product(
        "bf16 forward", tokens, hidden, wide, {{tokens, hidden}, type::f32, tag::ab},
        {{hidden, wide}, type::f32, tag::ba}, tag::ab, false);
    product(
        "bf16 dInput", tokens, wide, hidden, {{tokens, wide}, type::f32, tag::ab},
        {{wide, hidden}, type::f32, tag::ab}, tag::ab, false);
    // 512 of the 1536 columns of the output's gradient, turned over.
    product(
        "bf16 dWeight, 512 rows", 512, rows, hidden,
        {{512, rows}, type::f32, memory::dims{1, wide}}, {{rows, hidden}, type::f32, tag::ab},
        tag::ab, true);
    product(
        "the same, left operand not turned", 512, rows, hidden,
        {{512, rows}, type::f32, memory::dims{1, 512}}, {{rows, hidden}, type::f32, tag::ab},
        tag::ba, true);
}
