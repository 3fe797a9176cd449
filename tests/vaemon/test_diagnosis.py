from vaemon.diagnosis import nearest_folder


def test_the_nearest_folder_is_the_one_itself_or_above_it(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "file").touch()
    assert nearest_folder(tmp_path / "a") == tmp_path / "a"
    assert nearest_folder(tmp_path / "a" / "b" / "c") == tmp_path / "a"
    assert nearest_folder(tmp_path / "file" / "b") == tmp_path
