import Training
func runKernelBenchmarks(_ options: BenchmarkOptions) {}
