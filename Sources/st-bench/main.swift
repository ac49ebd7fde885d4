print("st-bench")
