print("st-host")
