// Which thread is running: studies keep some things per thread, as Optuna does.

import Glibc

/// An identity of the calling thread, unique among the living ones.
func currentThread() -> UInt { UInt(pthread_self()) }
