package dev.nibble.api.faults;

import dev.nibble.api.faults.Fault.Operation;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.Set;

/**
 * The default file system with faults: it counts the operations that change files, and asks a
 * {@link Fault} before each.
 */
public final class FaultyFileSystem extends FileSystem {
  private final FaultyProvider provider = new FaultyProvider(this);
  private final Fault fault;
  private int operations;

  /** A file system with a fault. */
  public FaultyFileSystem(Fault fault) {
    this.fault = fault;
  }

  /** A path of the default file system as one of this. */
  public Path path(Path real) {
    return new FaultyPath(this, real);
  }

  /** How many operations there were. */
  public int operations() {
    return operations;
  }

  void before(Operation operation) throws IOException {
    fault.at(operations++, operation);
  }

  void beforeRead() {
    fault.atRead();
  }

  @Override
  public FileSystemProvider provider() {
    return provider;
  }

  @Override
  public void close() {}

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public String getSeparator() {
    return FileSystems.getDefault().getSeparator();
  }

  @Override
  public Iterable<Path> getRootDirectories() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Iterable<FileStore> getFileStores() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Set<String> supportedFileAttributeViews() {
    return FileSystems.getDefault().supportedFileAttributeViews();
  }

  @Override
  public Path getPath(String first, String... more) {
    return path(Path.of(first, more));
  }

  @Override
  public PathMatcher getPathMatcher(String syntaxAndPattern) {
    throw new UnsupportedOperationException();
  }

  @Override
  public UserPrincipalLookupService getUserPrincipalLookupService() {
    throw new UnsupportedOperationException();
  }

  @Override
  public WatchService newWatchService() {
    throw new UnsupportedOperationException();
  }
}
