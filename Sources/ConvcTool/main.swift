print("convc")
