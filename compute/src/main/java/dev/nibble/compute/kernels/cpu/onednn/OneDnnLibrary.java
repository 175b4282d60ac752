package dev.nibble.compute.kernels.cpu.onednn;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * The native library: oneDNN and its OpenMP runtime are extracted from the class path into the
 * user's cache folder, side by side, where the dynamic loader finds them.
 */
final class OneDnnLibrary {
  static final String FILE = "libdnnl.so.3";

  private static final String FOLDER = "org/bytedeco/dnnl/linux-x86_64/";
  // oneDNN looks for its OpenMP runtime in its own folder (RUNPATH $ORIGIN).
  private static final List<String> FILES = List.of("libgomp.so.1", FILE);

  private OneDnnLibrary() {}

  /** Why this machine or class path has no oneDNN for us; empty when it has. */
  static Optional<String> missingBecause() {
    String os = System.getProperty("os.name", "");
    String arch = System.getProperty("os.arch", "");
    if (!os.toLowerCase(Locale.ROOT).contains("linux") || !arch.equals("amd64")) {
      return Optional.of(
          "oneDNN is shipped for Linux on x86-64, this is %s on %s".formatted(os, arch));
    }
    for (String file : FILES) {
      if (OneDnnLibrary.class.getClassLoader().getResource(FOLDER + file) == null) {
        return Optional.of(
            "%s%s is not on the class path; add org.bytedeco:dnnl with classifier linux-x86_64"
                .formatted(FOLDER, file));
      }
    }
    return Optional.empty();
  }

  /** The library on disk, extracted on first use. */
  static Path extract() {
    try {
      Path folder = cacheFolder().resolve("onednn-" + fingerprint());
      Files.createDirectories(folder);
      for (String file : FILES) {
        extract(file, folder.resolve(file));
      }
      return folder.resolve(FILE);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot extract oneDNN to %s: %s. It needs 90 MB there; set XDG_CACHE_HOME to another folder"
              .formatted(cacheFolder(), e.getMessage()),
          e);
    }
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
  private static String fingerprint() throws IOException {
    CRC32 crc = new CRC32();
    for (String file : FILES) {
      URLConnection resource = resource(file).openConnection();
      crc.update(
          Long.toString(resource.getContentLengthLong())
              .getBytes(java.nio.charset.StandardCharsets.UTF_8));
      try (InputStream in = resource.getInputStream()) {
        crc.update(in.readNBytes(1 << 16));
      }
    }
    return Long.toHexString(crc.getValue());
  }

  private static void extract(String file, Path target) throws IOException {
    URL resource = resource(file);
    if (Files.exists(target)
        && Files.size(target) == resource.openConnection().getContentLengthLong()) {
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
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static URL resource(String file) throws IOException {
    URL url = OneDnnLibrary.class.getClassLoader().getResource(FOLDER + file);
    if (url == null) {
      throw new IOException(FOLDER + file + " is not on the class path");
    }
    return url;
  }
}
