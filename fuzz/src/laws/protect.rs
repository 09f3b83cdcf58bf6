use bartizan_core::Secret;
use bartizan_formats::{Bytes, SafeTensors};
use bartizan_supply::{
    convert::{ConvertLimits, plan, verify},
    sealed::{Fresh, Lock, Opened, SealedError, Unlock, seal},
};

/// Conversion: what is planned can be written within its bound, and breaks no rule of the new format.
pub fn convert(data: &[u8]) {
    let limits = ConvertLimits {
        max_bytes: 1 << 20,
        max_values: 1 << 14,
    };
    let source = Bytes(data);
    let Ok(plan) = plan(&source, &limits) else {
        return;
    };
    let sum: u64 = plan.tensors().iter().map(|tensor| tensor.bytes()).sum();
    assert!(sum <= limits.max_bytes, "more than the bound allows");
    let mut file = Vec::new();
    // Compressed arrays may turn out to be broken only now.
    let Ok(written) = plan.write(&mut file, &[]) else {
        return;
    };
    verify(&plan, &Bytes(&file), &written).expect("what was written is there");
    let read = SafeTensors::read(&Bytes(&file)).expect("the new file has a header");
    assert_eq!(read.faults, [], "the new file breaks rules");
}

/// Sealed files: any bytes are read as one without harm, and no change of a real one is missed.
pub fn sealed(data: &[u8]) {
    let key = Secret::new([7; 32]);
    let open = |bytes: &[u8]| -> Result<Vec<u8>, SealedError> {
        let opened = Opened::new(Bytes(bytes), &Unlock::Key(&key))?;
        let mut out = Vec::new();
        opened.each(|plain| {
            out.extend_from_slice(plain);
            Ok::<_, SealedError>(())
        })?;
        Ok(out)
    };
    let _ = open(data);
    let Some((&[a, b, mask], plain)) = data.split_first_chunk() else {
        return;
    };
    let fresh = Fresh {
        data_key: Secret::new([9; 32]),
        nonce: [3; 12],
    };
    let mut file = Vec::new();
    let length = plain.len() as u64;
    seal(
        &mut &*plain,
        length,
        Lock::Key,
        Some(&key),
        &fresh,
        &mut file,
    )
    .expect("it is sealed");
    assert_eq!(open(&file).expect("it opens"), plain);
    let at = usize::from(u16::from_le_bytes([a, b])) % file.len();
    file[at] ^= mask.max(1);
    assert!(open(&file).is_err(), "a change was not noticed");
}
