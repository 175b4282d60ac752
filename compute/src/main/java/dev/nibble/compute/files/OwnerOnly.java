package dev.nibble.compute.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Files and folders that nobody but the user may read or change. */
public final class OwnerOnly {
  private static final Set<PosixFilePermission> FOLDER =
      PosixFilePermissions.fromString("rwx------");
  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");

  private static final String UID = "unix:uid";

  /** Belongs to the user of this process. */
  private static final Path SELF = Path.of("/proc/self");

  private OwnerOnly() {}

  /** The attributes of a new file; none where the file system of a path has no such permissions. */
  public static FileAttribute<?>[] file(Path near) {
    return attributes(near, FILE);
  }

  private static FileAttribute<?>[] attributes(Path near, Set<PosixFilePermission> permissions) {
    return near.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)}
        : new FileAttribute<?>[0];
  }

  /**
   * Makes a folder for what is loaded as code later, with parents, or takes the one that is there.
   *
   * @throws IOException also when another user could have put something there, or still can
   */
  public static void createCodeFolder(Path folder) throws IOException {
    Path absolute = folder.toAbsolutePath();
    Files.createDirectories(absolute, attributes(absolute, FOLDER));
    if (absolute.getFileSystem().supportedFileAttributeViews().contains("unix")
        && Files.exists(SELF)) {
      requireOwn(
          absolute,
          (int) Files.getAttribute(absolute, UID),
          (int) Files.getAttribute(SELF, UID),
          Files.getPosixFilePermissions(absolute));
    }
  }

  /** Throws unless a folder of user {@code owner} is safe for a process of user {@code self}. */
  static void requireOwn(Path folder, int owner, int self, Set<PosixFilePermission> permissions)
      throws IOException {
    if (owner != self && owner != 0) {
      throw new IOException(
          "%s belongs to another user (%d, and this process runs as %d), who could exchange what is loaded from it"
              .formatted(folder, owner, self));
    }
    if (permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException(
          "every user may write in %s (%s) and exchange what is loaded from it; chmod o-w changes that"
              .formatted(folder, PosixFilePermissions.toString(permissions)));
    }
  }
}
