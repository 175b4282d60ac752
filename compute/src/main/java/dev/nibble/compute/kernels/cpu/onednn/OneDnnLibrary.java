package dev.nibble.compute.kernels.cpu.onednn;

import dev.nibble.compute.files.OwnerOnly;
import dev.nibble.compute.kernels.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * The native library: oneDNN and its OpenMP runtime are extracted from the class path into the
 * user's cache folder, side by side.
 */
final class OneDnnLibrary {
  private OneDnnLibrary() {}

  /**
   * The files of a platform, as org.bytedeco:dnnl has them.
   *
   * @param folder where they are on the class path
   * @param library oneDNN itself
   * @param threads its OpenMP runtime; empty on Windows, which has it
   */
  record Natives(String folder, String library, Optional<String> threads) {

    /** A platform's; empty where oneDNN is not built for it. */
    static Optional<Natives> of(Platform platform) {
      return switch (platform.classifier()) {
        case "linux-x86_64", "linux-arm64" -> of(platform, "libdnnl.so.3", "libgomp.so.1");
        case "macosx-arm64" -> of(platform, "libdnnl.3.dylib", "libomp.dylib");
        case "macosx-x86_64" -> of(platform, "libdnnl.3.dylib", "libiomp5.dylib");
        case "windows-x86_64" ->
            Optional.of(new Natives(folder(platform), "dnnl.dll", Optional.empty()));
        default -> Optional.empty();
      };
    }

    private static Optional<Natives> of(Platform platform, String library, String threads) {
      return Optional.of(new Natives(folder(platform), library, Optional.of(threads)));
    }

    private static String folder(Platform platform) {
      return "org/bytedeco/dnnl/" + platform.classifier() + "/";
    }

    /** The library last: where it is, the others are. */
    List<String> files() {
      return Stream.concat(threads.stream(), Stream.of(library)).toList();
    }
  }

  /** Why this machine or class path has no oneDNN for us; empty when it has. */
  static Optional<String> missingBecause() {
    return missingBecause(Platform.here(), OneDnnLibrary.class.getClassLoader());
  }

  static Optional<String> missingBecause(Platform platform, ClassLoader classPath) {
    Optional<Natives> natives = Natives.of(platform);
    if (natives.isEmpty()) {
      return Optional.of(
          "oneDNN is shipped for Linux and macOS on x86-64 and arm64 and for Windows on x86-64; this is %s on %s"
              .formatted(System.getProperty("os.name", ""), System.getProperty("os.arch", "")));
    }
    String folder = natives.get().folder();
    return natives.get().files().stream()
        .filter(file -> classPath.getResource(folder + file) == null)
        .findFirst()
        .map(file ->
            "%s%s is not on the class path; add org.bytedeco:dnnl with classifier %s"
                .formatted(folder, file, platform.classifier()));
  }

  /** The folder on disk with a platform's files, extracted on first use. */
  static Path extract(Natives natives) {
    return extractTo(cacheFolder(), natives);
  }

  /** The folder in a cache that no other user may write to. */
  static Path extractTo(Path cache, Natives natives) {
    try {
      OwnerOnly.createCodeFolder(cache);
      Path folder = cache.resolve("onednn-" + fingerprint(natives));
      OwnerOnly.createCodeFolder(folder);
      for (String file : natives.files()) {
        extract(natives, file, folder.resolve(file));
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot extract oneDNN to %s: %s. It needs 90 MB there; set XDG_CACHE_HOME to another folder"
              .formatted(cache, e.getMessage()),
          e);
    }
  }

  /** What the system must have for the library to load. */
  static String needs(Platform.Os os) {
    return switch (os) {
      case LINUX, OTHER -> "glibc and libstdc++; on Debian: apt-get install libstdc++6";
      case MAC -> "macOS 15 or newer";
      case WINDOWS -> "the Microsoft Visual C++ Redistributable (2015 to 2022, x64)";
    };
  }

  private static Path cacheFolder() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path base =
        xdg == null || xdg.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(xdg);
    return base.resolve("nibble");
  }

  /**
   * Tells builds of the library apart without reading all of it: sizes, and a checksum of each
   * file's first bytes.
   */
  private static String fingerprint(Natives natives) throws IOException {
    CRC32 crc = new CRC32();
    for (String file : natives.files()) {
      URLConnection resource = resource(natives, file).openConnection();
      crc.update(
          Long.toString(resource.getContentLengthLong())
              .getBytes(java.nio.charset.StandardCharsets.UTF_8));
      try (InputStream in = resource.getInputStream()) {
        crc.update(in.readNBytes(1 << 16));
      }
    }
    return Long.toHexString(crc.getValue());
  }

  private static void extract(Natives natives, String file, Path target) throws IOException {
    URL resource = resource(natives, file);
    if (isWhole(target, resource)) {
      return;
    }
    // Another process may be doing the same: each writes its own file, the rename decides.
    Path temporary = Files.createTempFile(target.getParent(), file, ".part");
    try {
      try (InputStream in = resource.openStream();
          OutputStream out = Files.newOutputStream(temporary)) {
        in.transferTo(out);
      }
      move(temporary, target);
    } catch (FileSystemException e) {
      // Windows replaces no library that another process has loaded meanwhile.
      if (!isWhole(target, resource)) {
        throw e;
      }
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static boolean isWhole(Path target, URL resource) throws IOException {
    return Files.exists(target)
        && Files.size(target) == resource.openConnection().getContentLengthLong();
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static URL resource(Natives natives, String file) throws IOException {
    String name = natives.folder() + file;
    URL url = OneDnnLibrary.class.getClassLoader().getResource(name);
    if (url == null) {
      throw new IOException(name + " is not on the class path");
    }
    return url;
  }
}
