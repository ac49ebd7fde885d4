import Glibc

/// A lock between processes, the one that huggingface_hub takes by Python's filelock: flock on a
/// file that stays where it is.
final class FileLock {
    private let descriptor: Int32

    /// Waits until nobody else has it.
    /// - waiting: called once, when there is somebody to wait for.
    init(
        _ path: String, isCancelled: () -> Bool, waiting: () -> Void = {}
    ) throws(HubError) {
        var hasWaited = false
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw LocalFile.error(path, "can't be locked", errno) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                // Somebody may have removed the file in between: then this lock guards no name.
                var held = stat()
                var named = stat()
                if fstat(descriptor, &held) == 0, stat(path, &named) == 0,
                    held.st_ino == named.st_ino, held.st_dev == named.st_dev
                {
                    self.descriptor = descriptor
                    return
                }
            } else if errno != EWOULDBLOCK && errno != EINTR {
                // A file system without locks: correctness rests on the check of the content.
                self.descriptor = descriptor
                return
            }
            close(descriptor)
            if isCancelled() { throw .cancelled }
            if !hasWaited { waiting() }
            hasWaited = true
            usleep(50_000)
        }
    }

    deinit { close(descriptor) }
}
