//! One frame: length (u32, big-endian), bytes. The length is checked against the family's limit before any of
//! the bytes is read, and memory grows with what has arrived, not with what was announced.

use std::io::{Error, ErrorKind, Result};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::request_response;

use super::family::Family;

/// Memory set aside for a frame before its bytes arrive.
const FIRST_ALLOCATION: usize = 16 * 1024;

/// Frames of one family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codec(pub(super) Family);

impl request_response::Codec for Codec {
    type Protocol = &'static str;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &&'static str, io: &mut T) -> Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.0.max_request()).await
    }

    async fn read_response<T>(&mut self, _: &&'static str, io: &mut T) -> Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.0.max_response()).await
    }

    async fn write_request<T>(&mut self, _: &&'static str, io: &mut T, request: Vec<u8>) -> Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &request, self.0.max_request()).await
    }

    async fn write_response<T>(&mut self, _: &&'static str, io: &mut T, response: Vec<u8>) -> Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &response, self.0.max_response()).await
    }
}

async fn read<T: AsyncRead + Unpin>(io: &mut T, max: usize) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = checked(u32::from_be_bytes(length) as usize, max)?;
    let mut frame = Vec::with_capacity(length.min(FIRST_ALLOCATION));
    io.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() == length { Ok(frame) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

async fn write<T: AsyncWrite + Unpin>(io: &mut T, frame: &[u8], max: usize) -> Result<()> {
    let length = u32::try_from(checked(frame.len(), max)?).expect("every family's limit fits in u32");
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(frame).await?;
    io.flush().await
}

fn checked(length: usize, max: usize) -> Result<usize> {
    if length <= max {
        Ok(length)
    } else {
        Err(Error::new(ErrorKind::InvalidData, "frame over its family's limit"))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn a_frame_is_its_length_and_its_bytes() {
        let mut io = Cursor::new(Vec::new());
        write(&mut io, b"kring", 5).await.unwrap();
        assert_eq!(io.get_ref(), b"\0\0\0\x05kring");
        io.set_position(0);
        assert_eq!(read(&mut io, 5).await.unwrap(), b"kring");
    }

    #[tokio::test]
    async fn a_frame_over_the_limit_is_refused_at_its_length() {
        let mut io = Cursor::new(b"\0\0\0\x06kring!".to_vec());
        assert_eq!(read(&mut io, 5).await.unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(io.position(), 4, "nothing after the length was read");
        let mut out = Cursor::new(Vec::new());
        assert_eq!(write(&mut out, b"kring!", 5).await.unwrap_err().kind(), ErrorKind::InvalidData);
        assert!(out.get_ref().is_empty());
    }

    #[tokio::test]
    async fn a_frame_that_ends_early_is_refused() {
        for cut in [&b"\0\0"[..], b"\0\0\0\x05", b"\0\0\0\x05krin"] {
            let error = read(&mut Cursor::new(cut.to_vec()), 5).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        }
    }

    /// Endless silence after its bytes; notes the largest buffer that was offered for more.
    struct Offered<'a>(Cursor<Vec<u8>>, &'a mut usize);

    impl AsyncRead for Offered<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<Result<usize>> {
            *self.1 = buffer.len().max(*self.1);
            Pin::new(&mut self.0).poll_read(cx, buffer)
        }
    }

    #[tokio::test]
    async fn an_announced_length_claims_no_memory() {
        let announced = 64 * 1024 * 1024_u32;
        let mut largest = 0;
        let mut io = Offered(Cursor::new([&announced.to_be_bytes()[..], b"few"].concat()), &mut largest);
        assert_eq!(read(&mut io, usize::MAX).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert!((1..=FIRST_ALLOCATION).contains(&largest), "{largest}");
    }
}
