package dev.nibble.api.faults;

import dev.nibble.api.faults.Fault.Operation;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The operations of a {@link FaultyFileSystem}. */
final class FaultyProvider extends FileSystemProvider {
  private static final FileSystemProvider REAL = FileSystems.getDefault().provider();

  private final FaultyFileSystem system;

  FaultyProvider(FaultyFileSystem system) {
    this.system = system;
  }

  private Path changed(Path path, Operation operation) throws IOException {
    system.before(operation);
    return FaultyPath.real(path);
  }

  private Path read(Path path) {
    system.beforeRead();
    return FaultyPath.real(path);
  }

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    boolean creates =
        options.contains(StandardOpenOption.CREATE)
            || options.contains(StandardOpenOption.CREATE_NEW);
    Path real = creates ? changed(path, Operation.CREATE) : read(path);
    return new FaultyChannel(system, REAL.newFileChannel(real, options, attributes));
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    return newFileChannel(path, options, attributes);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path folder, DirectoryStream.Filter<? super Path> filter) throws IOException {
    DirectoryStream<Path> entries = REAL.newDirectoryStream(read(folder), path -> true);
    return new DirectoryStream<>() {
      @Override
      public Iterator<Path> iterator() {
        Iterator<Path> real = entries.iterator();
        return new Iterator<>() {
          @Override
          public boolean hasNext() {
            return real.hasNext();
          }

          @Override
          public Path next() {
            return system.path(real.next());
          }
        };
      }

      @Override
      public void close() throws IOException {
        entries.close();
      }
    };
  }

  @Override
  public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
    REAL.createDirectory(changed(folder, Operation.CREATE), attributes);
  }

  @Override
  public void delete(Path path) throws IOException {
    REAL.delete(changed(path, Operation.OTHER));
  }

  @Override
  public void copy(Path source, Path target, CopyOption... options) throws IOException {
    REAL.copy(read(source), changed(target, Operation.WRITE), options);
  }

  @Override
  public void move(Path source, Path target, CopyOption... options) throws IOException {
    REAL.move(changed(source, Operation.OTHER), FaultyPath.real(target), options);
  }

  @Override
  public boolean isSameFile(Path path, Path other) throws IOException {
    return REAL.isSameFile(read(path), read(other));
  }

  @Override
  public boolean isHidden(Path path) throws IOException {
    return REAL.isHidden(read(path));
  }

  @Override
  public FileStore getFileStore(Path path) throws IOException {
    return REAL.getFileStore(read(path));
  }

  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    REAL.checkAccess(read(path), modes);
  }

  @Override
  public <V extends FileAttributeView> @Nullable V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    return REAL.getFileAttributeView(read(path), type, options);
  }

  @Override
  public <A extends BasicFileAttributes> A readAttributes(
      Path path, Class<A> type, LinkOption... options) throws IOException {
    return REAL.readAttributes(read(path), type, options);
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String names, LinkOption... options)
      throws IOException {
    return REAL.readAttributes(read(path), names, options);
  }

  @Override
  public void setAttribute(Path path, String name, Object value, LinkOption... options)
      throws IOException {
    REAL.setAttribute(changed(path, Operation.OTHER), name, value, options);
  }

  @Override
  public String getScheme() {
    return "faulty";
  }

  @Override
  public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileSystem getFileSystem(URI uri) {
    return system;
  }

  @Override
  public Path getPath(URI uri) {
    return system.path(Path.of(uri));
  }
}
