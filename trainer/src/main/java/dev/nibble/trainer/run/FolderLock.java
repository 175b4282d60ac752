package dev.nibble.trainer.run;

import dev.nibble.errors.Remedy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The right of one run to write into a folder: a lock of the operating system on a file in it,
 * which ends with the process however that ends. Where the file system has no locks, the file's
 * existence is the lock, and one whose process is gone is taken over.
 */
final class FolderLock implements AutoCloseable {
  /** The file that is locked. */
  static final String NAME = "run.lock";

  private static final int ATTEMPTS = 100;

  /**
   * Folders that this process holds. The operating system does not keep one process out, and
   * closing the file anywhere in a process would end its lock.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  /** What locks an open file. */
  interface Locks {
    /** Empty when another process holds the lock. */
    Optional<FileLock> tryLock(FileChannel channel) throws IOException;
  }

  private final Path key;
  private final Path file;
  private final @Nullable FileChannel channel;

  private FolderLock(Path key, Path file, @Nullable FileChannel channel) {
    this.key = key;
    this.file = file;
    this.channel = channel;
  }

  /**
   * Takes the right to write into an existing folder.
   *
   * @throws RunException when another run has it
   */
  static FolderLock acquire(Path folder) throws IOException {
    return acquire(folder, channel -> Optional.ofNullable(channel.tryLock()));
  }

  static FolderLock acquire(Path folder, Locks locks) throws IOException {
    Path key = folder.toRealPath();
    if (!HELD.add(key)) {
      throw inUse(folder, "by another run of this process");
    }
    try {
      for (int i = 0; i < ATTEMPTS; i++) {
        Optional<FolderLock> lock = attempt(folder, key, locks);
        if (lock.isPresent()) {
          return lock.get();
        }
      }
      throw new IOException("%s comes and goes".formatted(folder.resolve(NAME)));
    } catch (Throwable e) {
      HELD.remove(key);
      throw e;
    }
  }

  /** Empty when the file was another one by the time that it was locked. */
  private static Optional<FolderLock> attempt(Path folder, Path key, Locks locks)
      throws IOException {
    Path file = folder.resolve(NAME);
    boolean created = create(file);
    Optional<Object> opened = identity(file);
    if (opened.isEmpty()) {
      return Optional.empty();
    }
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.WRITE);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    boolean taken = false;
    try {
      Optional<FileLock> lock;
      try {
        lock = locks.tryLock(channel);
      } catch (OverlappingFileLockException e) {
        throw inUse(folder, "by another run of this process");
      } catch (IOException e) {
        return byExistence(folder, key, created);
      }
      if (lock.isEmpty()) {
        throw inUse(folder, "by " + LockOwner.read(file).describe());
      }
      // Its holder deletes the file before it unlocks it: what was locked may have no name any
      // more.
      if (!identity(file).equals(opened)) {
        return Optional.empty();
      }
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(bytesOfOwner()));
      taken = true;
      return Optional.of(new FolderLock(key, file, channel));
    } finally {
      if (!taken) {
        channel.close();
      }
    }
  }

  private static boolean create(Path file) throws IOException {
    try {
      Files.createFile(file);
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    }
  }

  private static Optional<FolderLock> byExistence(Path folder, Path key, boolean created)
      throws IOException {
    Path file = folder.resolve(NAME);
    if (created) {
      Files.write(file, bytesOfOwner());
      return Optional.of(new FolderLock(key, file, null));
    }
    LockOwner owner = LockOwner.read(file);
    if (!owner.isGone()) {
      throw inUse(
          folder,
          "by %s, as %s says; delete that file if the process is gone"
              .formatted(owner.describe(), NAME));
    }
    Files.deleteIfExists(file);
    return Optional.empty();
  }

  private static byte[] bytesOfOwner() {
    return LockOwner.current().text().getBytes(StandardCharsets.UTF_8);
  }

  /** Tells one file from another that has its name later; empty when there is none. */
  private static Optional<Object> identity(Path file) throws IOException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      Object key = attributes.fileKey();
      return Optional.of(key == null ? attributes.creationTime() : key);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private static RunException inUse(Path folder, String by) {
    return new RunException(
        "the folder %s is in use %s".formatted(folder, by), Remedy.WAIT_OR_OTHER_FOLDER);
  }

  @Override
  public void close() throws IOException {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // The next run takes it over: nobody holds it then.
    } finally {
      try {
        if (channel != null) {
          channel.close();
        }
      } finally {
        HELD.remove(key);
      }
    }
  }
}
